"""Noise and drift told apart by their range in an autocovariance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.optimize import nnls

from beamforge.arrays import Float64
from beamforge.statistics.autocovariance import radial_profile
from beamforge.statistics.correlation import gaussian_mixture

REACH = 128
"""Largest lag in px that is looked at."""

SIGMAS: Float64 = np.array([0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.0, 16.0, 23.0, 32.0, 45.0, 64.0])
"""Ladder of Gaussian kernels in px; from 4 px on they count as drift."""

_DRIFT = SIGMAS >= 4.0
_LEAST_DRIFT = 0.01


class Structure(NamedTuple):
    """Spatial correlation of noise and drift.

    Attributes
    ----------
    kernel
        (2 t + 1, 2 t + 1) kernel of the noise; its squares add up to 1.
    sigmas, weights
        Gaussian kernels of the drift in px, and their parts of its variance.
    share
        Part of the drift in the variance, 0 to 1.
    """

    kernel: Float64
    sigmas: Float64
    weights: Float64
    share: float


def split_structure(products: Float64, pairs: Float64) -> Structure:
    """Split an autocovariance, given as sums by lag (see `autocovariance`), into noise and drift."""
    covariance = np.divide(products, pairs, out=np.zeros_like(products), where=pairs > 0)
    middle = covariance.shape[0] // 2
    covariance /= covariance[middle, middle]
    enough = np.where(pairs >= 0.02 * pairs[middle, middle], pairs, 0.0)
    radius, mean, weight = radial_profile(covariance, enough)
    # A ring of n pairs of correlated pixels knows the covariance far worse than 1/sqrt(n); the fourth root keeps the
    # many pairs of the long lags from outvoting the few of the short ones, which matter most.
    root = weight**0.25
    parts, _ = nnls(root[:, None] * gaussian_mixture(radius, SIGMAS), root * mean)
    parts /= parts.sum()
    share = float(parts[_DRIFT].sum())
    if share < _LEAST_DRIFT:
        return Structure(_noise_kernel(covariance, parts, np.zeros_like(parts)), np.zeros(0), np.zeros(0), 0.0)
    used = _DRIFT & (parts > 0)
    kernel = _noise_kernel(covariance, parts, np.where(_DRIFT, parts, 0.0))
    return Structure(kernel, SIGMAS[used], parts[used] / share, share)


def _noise_kernel(covariance: Float64, parts: Float64, drift: Float64) -> Float64:
    """Turn the covariance that the drift leaves over into a kernel for white noise."""
    near = SIGMAS[~_DRIFT][parts[~_DRIFT] > 0.002]
    reach = int(np.ceil(3.0 * near.max(initial=0.0)))
    if reach == 0:
        return np.ones((1, 1))
    middle = covariance.shape[0] // 2
    # Twice the kernel's reach: the correlation of a kernel with itself is twice as wide as the kernel.
    window = slice(middle - 2 * reach, middle + 2 * reach + 1)
    lags = np.arange(-2 * reach, 2 * reach + 1)
    distance = np.hypot(lags[:, None], lags[None, :])
    taper = np.cos(0.5 * np.pi * np.minimum(distance / (2 * reach + 1), 1.0)) ** 0.5
    left = (covariance[window, window] - gaussian_mixture(distance, SIGMAS) @ drift) * taper
    # The nearest correlation that exists: no power spectrum may be negative.
    side = 8 * reach + 8
    wrapped = np.zeros((side, side))
    wrapped[np.ix_(lags, lags)] = 0.5 * (left + left[::-1, ::-1])
    spectrum = np.maximum(fft.fft2(wrapped).real, 0.0)
    full = fft.ifft2(np.sqrt(spectrum)).real
    taps = np.arange(-reach, reach + 1)
    kernel = full[np.ix_(taps, taps)]
    return np.asarray(kernel / np.sqrt((kernel**2).sum()))
