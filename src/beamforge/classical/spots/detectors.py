"""Detectors of white spots that rest on the difference from the surroundings."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, model_validator
from scipy.ndimage import binary_dilation, median_filter

from beamforge.arrays import Float32
from beamforge.statistics.local_noise import REACH, NoiseModel, filled_nearest, local_contrast

Mask = NDArray[np.bool_]
_AROUND = np.ones((3, 3), np.bool_)


@runtime_checkable
class SpotDetector(Protocol):
    """Says which pixels are spots.

    ``halo`` is how many pixels around a pixel its answer depends on, so that an image may be worked through in pieces.
    """

    @property
    def halo(self) -> int:
        """Context in px."""
        ...

    def detect(self, image: Float32, noise: NoiseModel) -> Mask:
        """Mark the spots of an image or a piece of one.

        Parameters
        ----------
        image
            float32 (y, x); pixels that are not finite are never spots.
        noise
            Of the whole image.
        """
        ...


def find_spots(image: Float32, detector: SpotDetector) -> Mask:
    """Mark the spots of a whole image, whose noise is estimated first.

    Parameters
    ----------
    image
        float32 (y, x) in any units.
    detector
        What detects.

    Raises
    ------
    InputError
        If the image has no noise to compare with, or too few finite pixels.
    """
    image = np.asarray(image, np.float32)
    return detector.detect(image, NoiseModel.fit([image]))


class MedianThreshold(BaseModel):
    """Marks what lies more than a fixed amount off the median of its neighbourhood.

    Source: the baseline of A. Kaestner's lecture on machine learning for neutron images: |f - median 3×3| > 1000 DN.

    Attributes
    ----------
    threshold
        In the image's units.
    size
        Side of the neighbourhood in px, odd; the pixel itself is part of it.
    both_sides
        Whether dark pixels count too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: PositiveFloat = 1000.0
    size: int = Field(default=3, ge=3)
    both_sides: bool = True

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.size // 2

    def detect(self, image: Float32, noise: NoiseModel) -> Mask:
        """Mark the spots; the noise does not matter."""
        filled = filled_nearest(image)
        difference = filled - median_filter(filled, self.size, mode="mirror")
        mask: Mask = (np.abs(difference) if self.both_sides else difference) > self.threshold
        return mask & np.isfinite(image)


class RobustSpots(BaseModel):
    """Marks what stands out of the noise its surroundings have, and the skirt that hangs on it.

    The background of a pixel is the median of a ring that leaves the pixel and its neighbours out, the noise grows with
    the signal as the image itself shows (`beamforge.statistics.local_noise`). A spot has a pixel above `high`; pixels
    above `low` that touch it, directly or over others of that kind, belong to it.

    Attributes
    ----------
    high, low
        In standard deviations of the noise.
    reach
        How many px a spot may grow beyond its seeds; a bound keeps the answer local, so that pieces of an image give
        what the whole gives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    high: PositiveFloat = 6.0
    low: PositiveFloat = 3.5
    reach: NonNegativeInt = 16

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}; a skirt is fainter than its spot")
        return self

    @property
    def halo(self) -> int:
        """Context in px."""
        return REACH + self.reach

    def detect(self, image: Float32, noise: NoiseModel) -> Mask:
        """Mark the spots."""
        contrast = local_contrast(image, noise)
        return grown(contrast > self.high, contrast > self.low, self.reach)


def grown(seeds: Mask, allowed: Mask, reach: int) -> Mask:
    """Grow seeds over pixels that are allowed, one pixel in the eight directions at a time, `reach` times."""
    if reach == 0 or not seeds.any():
        return seeds
    mask: Mask = binary_dilation(seeds, _AROUND, iterations=reach, mask=allowed | seeds)
    return mask
