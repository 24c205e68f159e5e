"""What a pixel should be, and how far it may stray: background and noise of one image, from the image itself.

A white spot must not judge itself: the background of a pixel is the median of a ring around it that leaves the pixel
and its next neighbours out, and the noise is estimated with outliers cut off. Counting noise grows with the signal, so
its variance is a line over the background; where the image has structure finer than the ring, such as edges, the
deviation is raised to what the surroundings show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, model_validator
from scipy.ndimage import distance_transform_edt, uniform_filter
from scipy.optimize import nnls

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled

Mask = NDArray[np.bool_]

RING = 4
"""Outer reach of the ring in px."""
_HOLE = 1
"""Reach of what the ring leaves out in px: a spot is a few pixels large."""
_STRUCTURE = 7
"""Reach in px of the window that measures structure."""
REACH = RING + _STRUCTURE
"""How far in px a pixel's contrast depends on others, once the noise is known."""
_CUT = 3.0
_CUT_DEVIATION = 0.98658
"""Standard deviation of a normal distribution cut at 3 sigma, in sigma."""
_CUT_ABSOLUTE = 0.79711
"""Mean of min(abs(z), 3) for a standard normal z."""
_PIXELS_PER_BIN = 500
_MOST_BINS = 24


class NoiseModel(BaseModel):
    """The variance of the noise as a line over the signal: ``read + gain * max(signal - darkest, 0)``.

    Attributes
    ----------
    read
        Variance at the darkest background, in the image's units squared.
    gain
        Rise of the variance with the signal, in the image's units.
    darkest
        The darkest background seen, in the image's units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: NonNegativeFloat
    gain: NonNegativeFloat
    darkest: float

    @model_validator(mode="after")
    def _some_noise(self) -> Self:
        if self.read == 0.0 and self.gain == 0.0:
            raise ValueError("the image has no noise: its variance is 0 at every signal")
        return self

    @classmethod
    def fit(cls, images: Iterable[Float32]) -> Self:
        """Estimate the noise from images or pieces of one.

        Parameters
        ----------
        images
            float32 (y, x); pixels that are not finite are left out.

        Raises
        ------
        InputError
            If there are fewer than 100 finite pixels, or no noise at all.
        """
        levels, strays = [], []
        for image in images:
            finite = np.isfinite(image)
            if finite.any():
                background = local_background(image)
                levels.append(background[finite])
                strays.append((image - background)[finite])
        if sum(map(len, levels)) < 100:
            raise InputError("fewer than 100 finite pixels; the noise cannot be estimated")
        level, stray = np.concatenate(levels).astype(np.float64), np.concatenate(strays).astype(np.float64)
        centres, variances = _variance_by_level(level, stray)
        if not variances.any():
            raise InputError(
                "the image has no noise: most pixels equal their surroundings; is it simulated or filtered?"
            )
        darkest = float(centres[0])
        design = np.stack([np.ones_like(centres), centres - darkest], axis=1)
        # Relative errors of variances are alike in bins of as many pixels.
        weight = 1.0 / np.maximum(variances, 0.05 * variances.mean())
        (read, gain), _ = nnls(design * weight[:, None], variances * weight)
        return cls(read=float(read), gain=float(gain), darkest=darkest)

    def deviation(self, background: Float32) -> Float32:
        """Give the standard deviation at each background, float32."""
        variance = self.read + self.gain * np.maximum(background - np.float32(self.darkest), 0)
        smallest = max(self.read, 1e-6 * self.gain * max(abs(self.darkest), 1.0))
        result: Float32 = np.sqrt(np.maximum(variance, smallest)).astype(np.float32)
        return result


def _variance_by_level(level: Float64, stray: Float64) -> tuple[Float64, Float64]:
    bins = int(np.clip(len(level) // _PIXELS_PER_BIN, 1, _MOST_BINS))
    parts = np.array_split(np.argsort(level, kind="stable"), bins)
    centres = np.array([np.median(level[part]) for part in parts])
    variances = np.array([_cut_deviation(stray[part]) ** 2 for part in parts])
    return centres, variances


def _cut_deviation(values: Float64) -> float:
    """Estimate the standard deviation with everything beyond 3 sigma cut off, starting from the quartiles.

    A mean of squares is not tied to the steps of 8-bit images, as a median of absolute values is.
    """
    low, centre, high = np.percentile(values, [15.87, 50, 84.13])
    deviation = float(high - low) / 2
    for _ in range(8):
        kept = values[np.abs(values - centre) <= _CUT * deviation]
        if not len(kept):
            return 0.0
        centre = float(kept.mean())
        deviation = float(kept.std()) / _CUT_DEVIATION
    return deviation


def local_background(image: Float32) -> Float32:
    """Take the median of the ring around each pixel.

    Parameters
    ----------
    image
        float32 (y, x); pixels that are not finite take the value of the nearest finite one first.

    Returns
    -------
    float32 (y, x), finite everywhere.
    """
    padded = np.pad(filled_nearest(image), RING, mode="reflect" if min(image.shape) > RING else "symmetric")
    background: Float32 = _ring_medians(padded)
    return background


@compiled
def _ring_medians(padded: Float32) -> Float32:
    """Take the upper median of the ring around each pixel of an image padded by the ring's reach."""
    rows, columns = padded.shape[0] - 2 * RING, padded.shape[1] - 2 * RING
    medians = np.empty((rows, columns), np.float32)
    values = np.empty((2 * RING + 1) ** 2 - (2 * _HOLE + 1) ** 2, np.float32)
    for row in range(rows):
        for column in range(columns):
            count = 0
            for y in range(-RING, RING + 1):
                for x in range(-RING, RING + 1):
                    if abs(y) > _HOLE or abs(x) > _HOLE:
                        values[count] = padded[row + RING + y, column + RING + x]
                        count += 1
            medians[row, column] = _select(values, count // 2)
    return medians


@compiled
def _select(values: Float32, rank: int) -> float:
    """Find the value of a rank, counted from 0, reordering the values (Hoare's quickselect)."""
    low, high = 0, len(values) - 1
    while low < high:
        pivot = values[rank]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while pivot < values[right]:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if right < rank:
            low = left
        if rank < left:
            high = right
    return float(values[rank])


def local_contrast(image: Float32, noise: NoiseModel) -> Float32:
    """Say by how many standard deviations each pixel differs from its background.

    Parameters
    ----------
    image
        float32 (y, x).
    noise
        Of this image.

    Returns
    -------
    float32 (y, x); 0 where a pixel is not finite.
    """
    background = local_background(image)
    contrast = (filled_nearest(image) - background) / noise.deviation(background)
    spread = uniform_filter(np.minimum(np.abs(contrast), np.float32(_CUT)), 2 * _STRUCTURE + 1, mode="mirror")
    contrast /= np.maximum(spread / np.float32(_CUT_ABSOLUTE), 1)
    contrast[~np.isfinite(image)] = 0
    return contrast


def filled_nearest(image: Float32) -> Float32:
    """Replace pixels that are not finite by the nearest finite one.

    Raises
    ------
    InputError
        If no pixel is finite.
    """
    broken = ~np.isfinite(image)
    if not broken.any():
        return np.asarray(image, np.float32)
    if broken.all():
        raise InputError("no pixel of the image is finite")
    rows, columns = distance_transform_edt(broken, return_distances=False, return_indices=True)
    return np.asarray(image[rows, columns], np.float32)


def compressed(contrast: Float32) -> Float32:
    """Bring contrasts into a range a network likes: linear for a few sigma, logarithmic for bright spots."""
    result: Float32 = np.arcsinh(contrast / np.float32(2.0)) * np.float32(2.0 / math.log(10.0))
    return result
