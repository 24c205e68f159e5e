"""What the noise of a single frame looks like: its level, how residuals hang together, which pixels are spots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import binary_dilation, gaussian_filter, label, maximum, median_filter, zoom

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError

_BLOCK = 4
_STEEP = 0.02
"""Relative change of the level per px from which on an edge, not the beam, is what a pixel shows."""
_DARKEST = 0.3
"""Part of the median signal below which a pixel does not count as open beam."""
_SIGMAS_OF_MAD = 1.4826
_SUSPECT = 4.5 / 8.0
"""Part of a spot's threshold above which a pixel is left out of the noise, as one in 300,000 is by chance."""
SPOT_SIGMAS = 8.0
"""Local standard deviations above the local median from which on a pixel is a spot."""


@dataclass(frozen=True)
class Spots:
    """White spots of a frame.

    Attributes
    ----------
    peaks
        (spot,) highest pixel above the local median, in DN.
    sizes
        (spot,) pixels above the threshold, connected also over corners.
    mask
        (y, x) pixels above the threshold.
    suspects
        (y, x) pixels that may belong to a weaker spot.
    threshold
        Its median over the frame in DN.
    """

    peaks: Float64
    sizes: NDArray[np.int64]
    mask: NDArray[np.bool_]
    suspects: NDArray[np.bool_]
    threshold: float


@dataclass(frozen=True)
class Residuals:
    """A frame taken apart.

    Attributes
    ----------
    level
        (y, x) smooth signal above the offset in DN.
    values
        (y, x) what the frame differs from it, relative to the level where there is beam, in DN in a dark frame.
    valid
        (y, x) pixels that are neither spots nor at edges nor outside the beam.
    spots
        The spots that were left out.
    """

    level: Float32
    values: Float32
    valid: NDArray[np.bool_]
    spots: Spots


def robust_spread(values: NDArray[np.floating]) -> float:
    """Give the standard deviation that a normal distribution of the same median absolute deviation has."""
    return float(_SIGMAS_OF_MAD * np.median(np.abs(values - np.median(values))))


def smooth_level(signal: Float32, sigma: float) -> Float32:
    """Smooth a frame (y, x) by a Gaussian of `sigma` px, after medians of small blocks that spots do not move."""
    rows, columns = (size // _BLOCK for size in signal.shape)
    if min(rows, columns) * _BLOCK < 4 * sigma:
        raise InputError(
            f"a frame of {signal.shape[0]}×{signal.shape[1]} px (y, x) is too small to tell noise from the beam's "
            f"profile, expected at least {4 * sigma:g} px on each side"
        )
    blocks = signal[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    coarse = gaussian_filter(np.median(blocks, axis=(1, 3)), sigma / _BLOCK, mode="nearest")
    fine = zoom(coarse, _BLOCK, order=1, grid_mode=True, mode="nearest")
    missing = [(0, size - have) for size, have in zip(signal.shape, fine.shape, strict=True)]
    return np.pad(fine, missing, mode="edge").astype(np.float32)


def find_spots(signal: Float32, level: Float32 | None) -> Spots:
    """Find what rises above the median of 5×5 px by 8 local standard deviations.

    Parameters
    ----------
    signal
        Frame (y, x) above its offset in DN.
    level
        Its smooth signal in DN, with whose root the noise grows; None in a dark frame, whose noise is even.
    """
    rise = signal - median_filter(signal, 5)
    threshold = np.full(signal.shape, SPOT_SIGMAS, np.float32)
    if level is not None:
        middle = float(np.median(level))
        threshold *= np.sqrt(np.maximum(level, 0.1 * middle) / middle)
    # The noise of what the median takes away is that of the frame's own pixels; half of them are below 0.
    threshold *= max(robust_spread(rise / threshold * SPOT_SIGMAS), 1e-6)
    mask = rise > threshold
    regions, count = label(mask, np.ones((3, 3)))
    numbers = np.arange(1, count + 1)
    peaks = np.asarray(maximum(rise, regions, numbers), np.float64).reshape(-1)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    return Spots(peaks, sizes, mask, rise > _SUSPECT * threshold, float(np.median(threshold)))


def beam_residuals(frame: NDArray[np.generic], offset: float, sigma: float) -> Residuals:
    """Take an open beam apart into a smooth level and relative residuals.

    Raises
    ------
    InputError
        If it is not brighter than the offset, or hardly a pixel is open beam.
    """
    signal = frame.astype(np.float32) - np.float32(offset)
    middle = float(np.median(signal))
    if not middle > 0.0:
        raise InputError(
            f"the open beam (median {middle + offset:g} DN) is not brighter than the dark current (median "
            f"{offset:g} DN); were the files swapped?"
        )
    level = smooth_level(signal, sigma)
    spots = find_spots(signal, level)
    steep = np.hypot(*np.gradient(level)) > _STEEP * np.abs(level)
    open_beam = (level > _DARKEST * middle) & ~binary_dilation(steep, iterations=round(sigma))
    values = np.zeros_like(signal)
    np.divide(signal - level, level, out=values, where=open_beam)
    valid = open_beam & ~binary_dilation(spots.suspects)
    if valid.mean() < 0.2:
        raise InputError(
            f"only {valid.mean():.0%} of the open beam's pixels are open beam without spots or edges, expected at "
            "least 20 %; crop it to the beam"
        )
    return _centred(level, values, valid, spots)


def dark_residuals(frame: NDArray[np.generic], sigma: float) -> Residuals:
    """Take a dark frame apart into its smooth level and residuals in DN."""
    signal = frame.astype(np.float32)
    level = smooth_level(signal, sigma)
    spots = find_spots(signal, None)
    return _centred(level, signal - level, ~binary_dilation(spots.suspects), spots)


def _centred(level: Float32, values: Float32, valid: NDArray[np.bool_], spots: Spots) -> Residuals:
    spread = robust_spread(values[valid])
    # Dead pixels and dust; 6 standard deviations leave the noise itself alone.
    valid = valid & (np.abs(values - np.median(values[valid])) <= 6.0 * max(spread, 1e-6))
    values = np.where(valid, values - values[valid].mean(dtype=np.float64), 0.0).astype(np.float32)
    return Residuals(level, values, valid, spots)


def lag_covariance(first: Residuals, second: Residuals, reach: int) -> Float64:
    """Average products of residuals over pairs of valid pixels.

    Parameters
    ----------
    first, second
        Of frames of one size; the same twice gives the autocovariance.
    reach
        Largest lag in px.

    Returns
    -------
    (2 reach + 1, 2 reach + 1) by lag (y, x), lag 0 in the middle; the mean of both signs of the lag.
    """
    shape = [fft.next_fast_len(side + reach, real=True) for side in first.values.shape]

    def correlated(one: NDArray[np.generic], other: NDArray[np.generic]) -> Float64:
        product = np.conj(fft.rfft2(one.astype(np.float64), shape)) * fft.rfft2(other.astype(np.float64), shape)
        lags = fft.irfft2(product, shape)
        window = np.arange(-reach, reach + 1)
        return np.asarray(lags[np.ix_(window, window)], np.float64)

    covariance = correlated(first.values, second.values) / np.maximum(correlated(first.valid, second.valid), 1.0)
    return np.asarray((covariance + covariance[::-1, ::-1]) / 2.0)
