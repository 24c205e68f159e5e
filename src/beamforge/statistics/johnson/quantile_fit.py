"""Closed-form fit of a Johnson curve to four quantiles, for any number of samples at once.

Source: Slifker & Shapiro, Technometrics 22 (1980) 239. Beyond the paper: the choice of SN and SL inside the sampling
error of the discriminant, left-tailed SL curves, and bounded curves widened to hold all data.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from scipy.stats import norm

from beamforge.arrays import Float64
from beamforge.statistics.johnson.curves import Family, Johnson

SPACING = 0.5244
"""z of the inner quantiles; the outer ones stand at three times that (Slifker & Shapiro's recommendation)."""

QUANTILE_PROBABILITIES: Float64 = ndtr(SPACING * np.array([-3.0, -1.0, 1.0, 3.0]))
"""Probabilities of the four quantiles the fit uses."""

_BAND = 1.4
_ROUNDING = 1e-10


def fit_quantiles(
    quantiles: ArrayLike, count: ArrayLike = np.inf, low: ArrayLike = np.inf, high: ArrayLike = -np.inf
) -> Johnson:
    """Fit Johnson curves to quantiles at `QUANTILE_PROBABILITIES`.

    Parameters
    ----------
    quantiles
        (..., 4), growing along the last axis.
    count
        (...) how many values each sample has: R counts as 1, and the sample as symmetric, inside 1.4 sampling
        errors. Infinite for exact quantiles.
    low, high
        (...) smallest and largest value of each sample: bounded curves are widened to hold them.

    Returns
    -------
    Johnson
        Curves of shape (...). Where quantiles coincide (more than a third of a sample tied) no curve of the system
        fits: the parameters are NaN.
    """
    x = np.asarray(quantiles, np.float64)
    count, low, high = (np.broadcast_to(np.asarray(v, np.float64), x.shape[:-1]) for v in (count, low, high))
    upper, lower, inner = x[..., 3] - x[..., 2], x[..., 1] - x[..., 0], x[..., 2] - x[..., 1]
    tied = ~((upper > 0) & (lower > 0) & (inner > 0))
    m, n, p = (np.where(tied, 1.0, v) for v in (upper, lower, inner))
    middle = 0.5 * (x[..., 1] + x[..., 2])
    ratio, asymmetry = np.log(m) + np.log(n) - 2.0 * np.log(p), np.log(m) - np.log(n)
    error_of_ratio, error_of_asymmetry = _sampling_errors()
    near_one = np.abs(ratio) <= np.maximum(_BAND * error_of_ratio / np.sqrt(count), _ROUNDING)
    symmetric = np.abs(asymmetry) <= np.maximum(_BAND * error_of_asymmetry / np.sqrt(count), _ROUNDING)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curves = _unbounded(m / p, n / p, p, middle)
        curves = _log_normal(asymmetry, p, middle).where(near_one, curves)
        curves = _normal(x).where(near_one & symmetric, curves)
        bounded = _widened(_bounded(p / m, p / n, p, middle), x, count, low, high)
        curves = bounded.where(~near_one & (ratio < 0), curves)
    nothing = Johnson.of(np.full(x.shape[:-1], Family.SN), np.nan, np.nan, np.nan, np.nan)
    return nothing.where(tied, curves)


def _unbounded(a: Float64, b: Float64, p: Float64, middle: Float64) -> Johnson:
    """SU from a = m/p and b = n/p."""
    root = np.sqrt(a * b - 1.0)
    eta = 2.0 * SPACING / np.arccosh(0.5 * (a + b))
    gamma = eta * np.arcsinh((b - a) / (2.0 * root))
    lambda_ = 2.0 * p * root / ((a + b - 2.0) * np.sqrt(a + b + 2.0))
    return Johnson.of(Family.SU, gamma, eta, middle + p * (b - a) / (2.0 * (a + b - 2.0)), lambda_)


def _bounded(a: Float64, b: Float64, p: Float64, middle: Float64) -> Johnson:
    """SB from a = p/m and b = p/n."""
    product, excess = (1.0 + a) * (1.0 + b), a * b - 1.0
    eta = SPACING / np.arccosh(0.5 * np.sqrt(product))
    gamma = eta * np.arcsinh((b - a) * np.sqrt(product - 4.0) / (2.0 * excess))
    lambda_ = p * np.sqrt((product - 2.0) ** 2 - 4.0) / excess
    return Johnson.of(Family.SB, gamma, eta, middle - 0.5 * lambda_ + p * (b - a) / (2.0 * excess), lambda_)


def _log_normal(asymmetry: Float64, p: Float64, middle: Float64) -> Johnson:
    """SL whose m/n is exp(asymmetry) and whose discriminant is 1; its tail lies on the side of the wider gap."""
    side = np.where(asymmetry < 0, -1.0, 1.0)
    step = np.exp(0.5 * np.abs(asymmetry))  # m/p = p/n of the curve, or of its mirror image
    eta = 2.0 * SPACING / np.log(step)
    gamma = eta * np.log((step - 1.0) / (p * np.sqrt(step)))
    epsilon = side * middle - 0.5 * p * (step + 1.0) / (step - 1.0)
    return Johnson.of(Family.SL, side * gamma, side * eta, side * epsilon, side)


def _normal(x: Float64) -> Johnson:
    """SN by the best linear unbiased combination of the four quantiles."""
    weights = _normal_weights()
    return Johnson.of(Family.SN, 0.0, 1.0, x @ weights[0], x @ weights[1])


def _widened(curves: Johnson, x: Float64, count: Float64, low: Float64, high: Float64) -> Johnson:
    """Give bounded curves that exclude data the data's range and the four quantiles' best gamma and eta."""
    bottom, top = curves.epsilon, curves.epsilon + curves.lambda_
    # Beyond the extremes of a sample there is room for about the range divided by the count (German tank problem).
    margin = (high - low) / np.maximum(count, 1.0)
    bottom = np.where(low <= bottom, low - margin, bottom)
    top = np.where(high >= top, high + margin, top)
    excluded = (bottom < curves.epsilon) | (top > curves.epsilon + curves.lambda_)
    u = (x - bottom[..., None]) / (top - bottom)[..., None]
    t = np.log(u) - np.log1p(-u)
    z = SPACING * np.array([-3.0, -1.0, 1.0, 3.0])
    centred = t - t.mean(-1, keepdims=True)
    eta = (centred * z).sum(-1) / (centred**2).sum(-1)
    wide = Johnson.of(Family.SB, -eta * t.mean(-1), eta, bottom, top - bottom)
    return wide.where(excluded, curves)


@cache
def _covariance_of_quantiles() -> NDArray[np.float64]:
    """Asymptotic covariance, times the count, of the four quantiles of a standard normal sample."""
    p, density = QUANTILE_PROBABILITIES, norm.pdf(SPACING * np.array([-3.0, -1.0, 1.0, 3.0]))
    low, high = np.minimum.outer(p, p), np.maximum.outer(p, p)
    return np.asarray(low * (1.0 - high) / np.multiply.outer(density, density))


@cache
def _sampling_errors() -> tuple[float, float]:
    """Standard errors, times the root of the count, of ln R and of ln(m/n) for a normal sample."""
    covariance = _covariance_of_quantiles()
    of_ratio = np.array([-1.0, 3.0, -3.0, 1.0]) / (2.0 * SPACING)
    of_asymmetry = np.array([1.0, -1.0, -1.0, 1.0]) / (2.0 * SPACING)
    return tuple(float(np.sqrt(g @ covariance @ g)) for g in (of_ratio, of_asymmetry))  # type: ignore[return-value]


@cache
def _normal_weights() -> NDArray[np.float64]:
    """Weights (2, 4) of the quantiles in the best linear estimates of mean and standard deviation."""
    z = SPACING * np.array([-3.0, -1.0, 1.0, 3.0])
    design = np.stack([np.ones(4), z], axis=1)
    inverse = np.linalg.inv(_covariance_of_quantiles())
    return np.asarray(np.linalg.solve(design.T @ inverse @ design, design.T @ inverse))
