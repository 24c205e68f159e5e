"""Fit of one Johnson curve by maximum likelihood, choosing the family by the Bayesian information criterion.

For given epsilon and lambda the best gamma and eta are the mean and standard deviation of tau((x - epsilon)/lambda),
so that at most two parameters have to be searched for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled
from beamforge.statistics.johnson.curves import Family, Johnson

_SN, _SL, _SU, _SB = (int(f) for f in (Family.SN, Family.SL, Family.SU, Family.SB))
_PARAMETERS = {Family.SN: 2, Family.SL: 3, Family.SU: 4, Family.SB: 4}


@compiled
def _profile(family: int, epsilon: float, lambda_: float, x: Float64) -> tuple[float, float, float]:
    """Mean of tau, its standard deviation, and the mean log-likelihood they give."""
    total = squares = slopes = 0.0
    for value in x:
        u = (value - epsilon) / lambda_
        if family == _SU:
            t = math.asinh(u)
            slopes -= 0.5 * math.log1p(u * u)
        elif u <= 0.0 or (family == _SB and u >= 1.0):
            return 0.0, 1.0, -math.inf
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
    best: tuple[float, Family, tuple[float, ...], float] | None = None
    for family, (epsilon, lambda_) in _candidates(scaled, _relative(start, centre, width)):
        mean, spread, likelihood = _shape(family, epsilon, lambda_, scaled)
        score = 2.0 * number * likelihood - _PARAMETERS[family] * math.log(number)
        if math.isfinite(score) and (best is None or score > best[0]):
            best = score, family, (-mean / spread, 1.0 / spread, epsilon, lambda_), likelihood
    assert best is not None  # the normal curve always has a likelihood
    _, family, (gamma, eta, epsilon, lambda_), likelihood = best
    return _rescaled(family, gamma, eta, epsilon, lambda_, centre, width), likelihood - math.log(width)


def _shape(family: Family, epsilon: float, lambda_: float, x: Float64) -> tuple[float, float, float]:
    if family == Family.SN:
        return 0.0, 1.0, -math.log(lambda_) - 0.5 * (1.0 + math.log(2.0 * math.pi))
    mean, spread, likelihood = _profile(int(family), epsilon, lambda_, x)
    # A left-tailed SL has a falling tau: eta takes its sign.
    return mean, math.copysign(spread, lambda_), likelihood


def _rescaled(
    family: Family, gamma: float, eta: float, epsilon: float, lambda_: float, centre: float, width: float
) -> Johnson:
    if family == Family.SL:  # lambda stays plus or minus 1 by convention; the width moves into gamma
        return Johnson.of(family, gamma - eta * math.log(width), eta, centre + width * epsilon, lambda_)
    return Johnson.of(family, gamma, eta, centre + width * epsilon, width * lambda_)


def _relative(start: Johnson | None, centre: float, width: float) -> tuple[Family, float, float] | None:
    if start is None or not np.isfinite(start.lambda_):
        return None
    return Family(int(start.family)), (float(start.epsilon) - centre) / width, float(start.lambda_) / width


def _candidates(x: Float64, start: tuple[Family, float, float] | None) -> list[tuple[Family, tuple[float, float]]]:
    """Find the best epsilon and lambda of every family."""
    low, high = float(x[0]), float(x[-1])
    found = [(Family.SN, (float(x.mean()), float(x.std())))]

    def right(a: Float64) -> tuple[float, float]:
        return low - math.exp(a[0]), 1.0

    def left(a: Float64) -> tuple[float, float]:
        return high + math.exp(a[0]), -1.0

    def free(a: Float64) -> tuple[float, float]:
        return float(a[0]), math.exp(a[1])

    def around(a: Float64) -> tuple[float, float]:
        bottom, top = low - math.exp(a[0]), high + math.exp(a[1])
        return bottom, top - bottom

    span = math.log(high - low)
    searches: list[tuple[Family, Callable[[Float64], tuple[float, float]], list[list[float]]]] = [
        (Family.SL, right, [[span - 1.0]]),
        (Family.SL, left, [[span - 1.0]]),
        (Family.SU, free, [[0.0, 0.0], [0.0, 2.0]]),
        (Family.SB, around, [[span - 3.0, span - 3.0]]),
    ]
    if start is not None and start[0] == Family.SU:
        searches[2][2].append([start[1], math.log(start[2])])
    if start is not None and start[0] == Family.SB and start[1] < low and start[1] + start[2] > high:
        searches[3][2].append([math.log(low - start[1]), math.log(start[1] + start[2] - high)])
    for family, place, starts in searches:
        found.extend((family, place(_search(family, place, np.array(begin), x, span))) for begin in starts)
    return found


def _search(
    family: Family, place: Callable[[Float64], tuple[float, float]], begin: Float64, x: Float64, span: float
) -> Float64:
    """Maximise the profile likelihood by the simplex method inside bounds that keep lambda of the data's size."""

    def cost(a: Float64) -> float:
        # Bounded curves have an infinite likelihood where an end touches the outermost value; stay a step away.
        nearest = span - math.log(4.0 * x.size)
        if family in (Family.SL, Family.SB) and (a < nearest).any():
            return math.inf
        if (a[-1] > span + 7.0) if family != Family.SB else (a > span + 7.0).any():
            return math.inf
        return -_profile(int(family), *place(a), x)[2]

    simplex = np.vstack([begin, begin + 0.5 * np.eye(begin.size)])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-9, "maxiter": 300}
    return np.asarray(minimize(cost, begin, method="Nelder-Mead", options=options).x, dtype=np.float64)
