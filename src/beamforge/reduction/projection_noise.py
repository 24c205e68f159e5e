"""The noise of real diffraction projections, measured where no spots are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.optimize import least_squares, nnls

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.reduction.projections import WINDOW, contrast, rolling_background

_LEVELS = 24
"""Bins of the background, of equally many pixels, in which the variance is taken."""
_REACH = 4
"""Pixels up to which neighbours are compared."""
_SMOOTH = 2.0  # px
_SPOT = 1.0
"""Smoothed contrast from which something is a spot: ten standard deviations of smoothed white noise."""
_HIT = 6.0
_MARGIN = 4  # px
_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class ProjectionNoise:
    """What the noise of projections is like.

    Attributes
    ----------
    gain
        Growth of the variance with the level, in units, without grain.
    read_out
        Standard deviation at level 0 in units, without grain.
    grain
        Standard deviation of what neighbouring pixels share over that of what they do not: spots too faint to be told
        apart, traces that passing spots leave in the median, light that spreads.
    grain_sigma
        σ in px of the Gaussian that grain is smoothed by.
    """

    gain: float
    read_out: float
    grain: float
    grain_sigma: float


def measure_noise(stack: xr.DataArray, window: int = WINDOW) -> ProjectionNoise:
    """Measure the noise of projections beside their spots.

    Parameters
    ----------
    stack
        Projections (channel, y, x) in the order of their angles.
    window
        Projections of the rolling median, odd.

    Raises
    ------
    InputError
        See `rolling_background`; or if spots leave hardly a pixel.
    """
    levels, variances, lags = [], [], []
    for (projection, background), (following, below) in pairwise(rolling_background(stack, window)):
        difference, later = projection - background, following - below
        seen = contrast(difference)
        quiet = _quiet(seen) & _quiet(contrast(later))
        if quiet.mean() < 0.1:
            raise InputError("spots cover nearly all of a projection; its noise cannot be measured")
        # Two projections share their median but for a little, and no noise.
        level, variance = _variances(0.5 * (background + below)[quiet], (later - difference)[quiet])
        levels.append(level)
        variances.append(0.5 * variance)
        lags.append(_autocovariance(seen, quiet))
    gain, read_out = _line(np.concatenate(levels), np.concatenate(variances))
    grain, sigma = _grain(np.mean(lags, axis=0))
    # What grain adds to the variance of a pixel is not the single pixels' own.
    own = 1.0 + grain**2
    return ProjectionNoise(gain / own, read_out / float(np.sqrt(own)), grain, sigma)


def _quiet(seen: Float32) -> NDArray[np.bool_]:
    """Say where neither a spot nor a hit is near."""
    loud = (gaussian_filter(seen, _SMOOTH) > _SPOT) | (np.abs(seen) > _HIT)
    return ~np.asarray(binary_dilation(loud, iterations=_MARGIN), np.bool_)


def _variances(level: Float32, difference: Float32) -> tuple[Float64, Float64]:
    """Give level and robust variance in bins of the level."""
    order = np.argsort(level, kind="stable")
    bins = [b for b in np.array_split(order, _LEVELS) if len(b)]
    deviations = [_TO_DEVIATION * np.median(np.abs(difference[b] - np.median(difference[b]))) for b in bins]
    return np.array([level[b].mean(dtype=np.float64) for b in bins]), np.array(deviations, np.float64) ** 2


def _line(level: Float64, variance: Float64) -> tuple[float, float]:
    """Fit variance = gain × level + read-out² with neither below 0, by relative errors."""
    weight = 1.0 / np.maximum(variance, 1e-6 * variance.max())
    (gain, squared), _ = nnls(np.stack([level, np.ones_like(level)], axis=1) * weight[:, None], variance * weight)
    return float(gain), float(np.sqrt(squared))


def _autocovariance(seen: Float32, quiet: NDArray[np.bool_]) -> Float64:
    """Give the covariance of pixels (dy + 1, dx + 1) apart by up to `_REACH`, over pairs of quiet pixels."""
    weight = quiet.astype(np.float32)
    values = np.where(quiet, seen - seen[quiet].mean(dtype=np.float64).astype(np.float32), np.float32(0.0))
    height, width = seen.shape
    result = np.empty((_REACH + 1, _REACH + 1))
    for dy, dx in np.ndindex(*result.shape):
        here, there = (slice(0, height - dy), slice(0, width - dx)), (slice(dy, None), slice(dx, None))
        result[dy, dx] = float(np.vdot(values[here], values[there])) / max(
            float(np.vdot(weight[here], weight[there])), 1.0
        )
    return result


def _grain(covariance: Float64) -> tuple[float, float]:
    """Fit covariance = far + share × exp(-r² / 4σ²) beside lag 0; what is left at lag 0 is noise of single pixels."""
    dy, dx = np.indices(covariance.shape)
    squares, values = (dy**2 + dx**2).ravel()[1:], covariance.ravel()[1:] / covariance[0, 0]
    fit = least_squares(
        lambda p: p[2] + p[0] * np.exp(-squares / (4.0 * p[1] ** 2)) - values,
        [0.05, 1.0, 0.0],
        bounds=([0.0, 0.4, -0.5], [0.9, 0.5 * _REACH, 0.5]),
    )
    share, sigma, far = (float(value) for value in fit.x)
    white = max(1.0 - share - far, 0.05)
    return float(np.sqrt(share / white)), sigma
