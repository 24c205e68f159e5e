"""Fit of one Johnson curve by maximum likelihood, choosing the family by the Bayesian information criterion.

For given epsilon and lambda the best gamma and eta are the mean and standard deviation of tau((x - epsilon)/lambda),
so that at most two parameters have to be searched for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled
from beamforge.statistics.johnson.curves import Family, Johnson

_SN, _SL, _SU, _SB = (int(f) for f in (Family.SN, Family.SL, Family.SU, Family.SB))
_PARAMETERS = {_SN: 2, _SL: 3, _SU: 4, _SB: 4}
_WORST = 1e300
_LARGEST = 7.0
_STEPS = 200


@compiled
def _profile(family: int, epsilon: float, lambda_: float, x: Float64) -> tuple[float, float, float]:
    """Mean of tau, its standard deviation, and the mean log-likelihood they give."""
    total = squares = slopes = 0.0
    for value in x:
        u = (value - epsilon) / lambda_
        if family == _SU:
            t = math.asinh(u)
            slopes -= 0.5 * math.log1p(u * u)
        elif family == _SN:
            t = u
        elif u <= 0.0 or (family == _SB and u >= 1.0):
            return 0.0, 1.0, -_WORST
        elif family == _SL:
            t = math.log(u)
            slopes -= t
        else:
            above = math.log1p(-u)
            below = math.log(u)
            t = below - above
            slopes -= below + above
        total += t
        squares += t * t
    mean = total / x.size
    spread = math.sqrt(max(squares / x.size - mean * mean, 1e-300))
    return mean, spread, slopes / x.size - math.log(spread * abs(lambda_)) - 0.5 * (1.0 + math.log(2.0 * math.pi))


@compiled
def _placed(family: int, side: float, a: Float64, x: Float64) -> tuple[float, float]:
    """Epsilon and lambda from the searched numbers: logarithms of distances from the outermost values, or of lambda."""
    if family == _SU:
        return a[0], math.exp(a[1])
    if family == _SB:
        bottom, top = x[0] - math.exp(a[0]), x[-1] + math.exp(a[1])
        return bottom, top - bottom
    return (x[0] - math.exp(a[0]), 1.0) if side > 0 else (x[-1] + math.exp(a[0]), -1.0)


@compiled
def _cost(family: int, side: float, a: Float64, x: Float64) -> float:
    """Negative mean log-likelihood, inside bounds that keep lambda of the data's size."""
    span = math.log(x[-1] - x[0])
    for i in range(a.size):
        distance = family != _SU or i == 1
        if distance and a[i] > span + _LARGEST:
            return _WORST
        # Curves with an end have an infinite likelihood where it touches the outermost value: stay a step away.
        if family != _SU and a[i] < span - math.log(4.0 * x.size):
            return _WORST
    epsilon, lambda_ = _placed(family, side, a, x)
    return -_profile(family, epsilon, lambda_, x)[2]


@compiled
def _search(family: int, side: float, begin: Float64, x: Float64) -> tuple[float, float]:
    """Maximise the profile likelihood by the simplex method of Nelder & Mead, Computer Journal 7 (1965) 308."""
    n = begin.size
    points = np.empty((n + 1, n))
    costs = np.empty(n + 1)
    for i in range(n + 1):
        points[i] = begin
        if i > 0:
            points[i, i - 1] += 0.5
        costs[i] = _cost(family, side, points[i], x)
    for _ in range(_STEPS):
        order = np.argsort(costs)
        points, costs = points[order], costs[order]
        if costs[n] - costs[0] < 1e-9 and np.abs(points[n] - points[0]).max() < 1e-4:
            break
        centre = points[:n].sum(axis=0) / n
        reflected = 2.0 * centre - points[n]
        cost = _cost(family, side, reflected, x)
        if cost < costs[0]:
            further = 3.0 * centre - 2.0 * points[n]
            cost_further = _cost(family, side, further, x)
            if cost_further < cost:
                reflected, cost = further, cost_further
        elif cost >= costs[n - 1]:
            inner = 0.5 * (centre + (reflected if cost < costs[n] else points[n]))
            cost_inner = _cost(family, side, inner, x)
            if cost_inner < min(cost, costs[n]):
                reflected, cost = inner, cost_inner
            else:
                for i in range(1, n + 1):
                    points[i] = 0.5 * (points[0] + points[i])
                    costs[i] = _cost(family, side, points[i], x)
                continue
        points[n], costs[n] = reflected, cost
    return _placed(family, side, points[np.argmin(costs)], x)


def fit_likelihood(x: ArrayLike, count: float | None = None, start: Johnson | None = None) -> tuple[Johnson, float]:
    """Fit the likeliest Johnson curve to a sample.

    Parameters
    ----------
    x
        (n,) values, or quantiles at evenly spaced probabilities that stand for a larger sample.
    count
        How many values the sample has; by default n. It weighs the fit against the number of parameters.
    start
        One curve to start SU or SB from, beside the built-in starts.

    Returns
    -------
    curve
        Johnson of shape ().
    log_likelihood
        Mean per value.

    Raises
    ------
    InputError
        If the values are constant or not finite.
    """
    values = np.sort(np.asarray(x, np.float64).ravel())
    if values.size < 2 or not np.isfinite(values).all() or values[0] == values[-1]:
        raise InputError(f"a Johnson curve needs at least 2 different finite values, got {values[:5]}…")
    number = float(values.size if count is None else count)
    # Searched in units of the sample's own middle and width, so that steps and tolerances mean the same for all.
    centre = float(np.median(values))
    quartiles = np.quantile(values, [0.25, 0.75])
    width = float(quartiles[1] - quartiles[0]) or float(np.std(values))
    scaled = (values - centre) / width
    best = -math.inf
    for family, epsilon, lambda_ in _candidates(scaled, _relative(start, centre, width)):
        mean, spread, likelihood = _profile(family, epsilon, lambda_, scaled)
        score = 2.0 * number * likelihood - _PARAMETERS[family] * math.log(number)
        if score > best:
            # A left-tailed SL has a falling tau: eta takes the sign of lambda.
            eta = math.copysign(1.0 / spread, lambda_)
            best, found = score, (family, -mean * eta, eta, epsilon, lambda_, likelihood)
    family, gamma, eta, epsilon, lambda_, likelihood = found
    if family == _SL:  # lambda stays plus or minus 1 by convention; the width moves into gamma
        curve = Johnson.of(family, gamma - eta * math.log(width), eta, centre + width * epsilon, lambda_)
    else:
        curve = Johnson.of(family, gamma, eta, centre + width * epsilon, width * lambda_)
    return curve, likelihood - math.log(width)


def _relative(start: Johnson | None, centre: float, width: float) -> tuple[int, float, float] | None:
    if start is None or not np.isfinite(start.lambda_):
        return None
    return int(start.family), (float(start.epsilon) - centre) / width, float(start.lambda_) / width


def _candidates(x: Float64, start: tuple[int, float, float] | None) -> list[tuple[int, float, float]]:
    """Find the best family, epsilon and lambda from every start."""
    low, high = float(x[0]), float(x[-1])
    span = math.log(high - low)
    starts: list[tuple[int, float, list[float]]] = [
        (_SL, 1.0, [span - 1.0]),
        (_SL, -1.0, [span - 1.0]),
        (_SU, 1.0, [0.0, 0.0]),
        (_SU, 1.0, [0.0, 2.0]),
        (_SB, 1.0, [span - 3.0, span - 3.0]),
    ]
    if start is not None and start[0] == _SU:
        starts.append((_SU, 1.0, [start[1], math.log(start[2])]))
    if start is not None and start[0] == _SB and start[1] < low and start[1] + start[2] > high:
        starts.append((_SB, 1.0, [math.log(low - start[1]), math.log(start[1] + start[2] - high)]))
    found = [(_SN, float(x.mean()), float(x.std()))]
    return found + [(family, *_search(family, side, np.array(begin), x)) for family, side, begin in starts]
