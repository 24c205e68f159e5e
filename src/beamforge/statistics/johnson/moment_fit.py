"""Fit of Johnson curves by their first four moments.

Source: Hill, Hill & Holder, Applied Statistics 25 (1976) 180 (AS 99): its division of the plane of skewness and
kurtosis, and its log-normal curve. The moments of SU are Johnson's (1949) closed forms, those of SB are integrated
numerically; both are inverted here by bracketing instead of the paper's power series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.statistics.johnson.curves import Family, Johnson

_BAND = 0.01
_Z = np.linspace(-8.5, 8.5, 681)
_WEIGHTS = np.exp(-0.5 * _Z**2) / np.exp(-0.5 * _Z**2).sum()


def fit_moments(mean: ArrayLike, sd: ArrayLike, skewness: ArrayLike, kurtosis: ArrayLike) -> Johnson:
    """Fit Johnson curves to moments.

    Parameters
    ----------
    mean, sd, skewness, kurtosis
        Arrays that broadcast together; kurtosis is 3 for a normal sample. A NaN kurtosis asks for the log-normal
        curve with the given skewness.

    Raises
    ------
    InputError
        If a standard deviation is not positive, or no distribution has these moments (kurtosis below skewness² + 1).
    """
    arrays = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (mean, sd, skewness, kurtosis)))
    rows = [_fit_one(*(float(v) for v in row)) for row in zip(*(a.ravel() for a in arrays), strict=True)]
    columns = np.array(rows).reshape((*arrays[0].shape, 5))
    return Johnson.of(*np.moveaxis(columns, -1, 0))


def log_normal_kurtosis(skewness: float) -> tuple[float, float]:
    """Give the kurtosis of the SL curve with this skewness, and its w = exp(1/eta²)."""
    b1 = skewness**2
    u = (1.0 + 0.5 * b1 + np.sqrt(b1) * np.sqrt(1.0 + 0.25 * b1)) ** (1.0 / 3.0)
    w = u + 1.0 / u - 1.0
    return float(w**2 * (3.0 + w * (2.0 + w)) - 3.0), float(w)


def _fit_one(mean: float, sd: float, skewness: float, kurtosis: float) -> tuple[float, ...]:
    if not sd > 0.0:
        raise InputError(f"a Johnson curve needs a positive standard deviation, got {sd}")
    if kurtosis <= skewness**2 + 1.0:
        raise InputError(f"no curve has skewness {skewness} and kurtosis {kurtosis}, expected above skewness² + 1")
    of_log_normal, w = log_normal_kurtosis(skewness)
    if np.isnan(kurtosis) or abs(kurtosis - of_log_normal) < _BAND:
        return _log_normal(mean, sd, skewness, w)
    fit, moments = (_unbounded, _moments_su) if kurtosis > of_log_normal else (_bounded, _moments_sb)
    family = Family.SU if kurtosis > of_log_normal else Family.SB
    gamma, eta = fit(abs(skewness), kurtosis, w)
    side = -1.0 if skewness < 0 else 1.0
    centre, spread, *_ = moments(side * gamma, eta)
    lambda_ = sd / spread
    return float(family), side * gamma, eta, mean - lambda_ * centre, lambda_


def _log_normal(mean: float, sd: float, skewness: float, w: float) -> tuple[float, ...]:
    if abs(skewness) < _BAND:
        return float(Family.SN), 0.0, 1.0, mean, sd
    side = float(np.sign(skewness))
    eta = 1.0 / np.sqrt(np.log(w))
    gamma = 0.5 * eta * np.log(w * (w - 1.0) / sd**2)
    epsilon = side * mean - sd / np.sqrt(w - 1.0)
    return float(Family.SL), side * gamma, side * eta, side * epsilon, side


def _unbounded(skewness: float, kurtosis: float, w: float) -> tuple[float, float]:
    """Solve for gamma and eta of SU: w lies between the log-normal's and the symmetric curve's."""

    def gamma_of(omega: float) -> float:
        eta = 1.0 / np.sqrt(np.log(omega))
        far = 30.0 * eta  # exp(-30): the log-normal curve for all purposes
        if skewness < 1e-12 or _moments_su(-far, eta)[2] <= skewness:
            return 0.0 if skewness < 1e-12 else -far
        return float(brentq(lambda g: _moments_su(-g, eta)[2] - skewness, 0.0, far, xtol=1e-14)) * -1.0

    def excess(omega: float) -> float:
        return _moments_su(gamma_of(omega), 1.0 / np.sqrt(np.log(omega)))[3] - kurtosis

    symmetric = float(np.sqrt(np.sqrt(2.0 * kurtosis - 2.0) - 1.0))
    omega = brentq(excess, w * (1.0 + 1e-12), symmetric * (1.0 + 1e-12), xtol=1e-14)
    return gamma_of(omega), float(1.0 / np.sqrt(np.log(omega)))


def _moments_su(gamma: float, eta: float) -> tuple[float, float, float, float]:
    """Mean, standard deviation, skewness and kurtosis of SU with epsilon 0 and lambda 1."""
    w, angle = np.exp(1.0 / eta**2), gamma / eta
    variance = 0.5 * (w - 1.0) * (w * np.cosh(2.0 * angle) + 1.0)
    third = -0.25 * np.sqrt(w) * (w - 1.0) ** 2 * (w * (w + 2.0) * np.sinh(3.0 * angle) + 3.0 * np.sinh(angle))
    of_four = w**2 * (w**4 + 2.0 * w**3 + 3.0 * w**2 - 3.0) * np.cosh(4.0 * angle)
    fourth = 0.125 * (w - 1.0) ** 2 * (of_four + 4.0 * w**2 * (w + 2.0) * np.cosh(2.0 * angle) + 3.0 * (2.0 * w + 1.0))
    mean = -np.sqrt(w) * np.sinh(angle)
    return float(mean), float(np.sqrt(variance)), float(third / variance**1.5), float(fourth / variance**2)


def _bounded(skewness: float, kurtosis: float, w: float) -> tuple[float, float]:
    """Solve for gamma and eta of SB: eta lies below the log-normal's."""

    def gamma_of(eta: float) -> float:
        far = 30.0 * eta
        if skewness < 1e-12:
            return 0.0
        if _moments_sb(far, eta)[2] <= skewness:
            return far
        return float(brentq(lambda g: _moments_sb(g, eta)[2] - skewness, 0.0, far, xtol=1e-13))

    def excess(log_eta: float) -> float:
        eta = float(np.exp(log_eta))
        return _moments_sb(gamma_of(eta), eta)[3] - kurtosis

    widest = 1.0 / np.sqrt(np.log(w)) if w > 1.0 + 1e-6 else 1e3
    log_eta = brentq(excess, np.log(0.05), np.log(min(widest, 1e3)), xtol=1e-13)
    eta = float(np.exp(log_eta))
    return gamma_of(eta), eta


def _moments_sb(gamma: float, eta: float) -> tuple[float, float, float, float]:
    """Mean, standard deviation, skewness and kurtosis of SB with epsilon 0 and lambda 1."""
    u: Float64 = expit((_Z - gamma) / eta)
    mean = float(_WEIGHTS @ u)
    offset = (u - mean) / (spread := float(np.sqrt(_WEIGHTS @ (u - mean) ** 2)))
    return mean, spread, float(_WEIGHTS @ offset**3), float(_WEIGHTS @ offset**4)
