"""Spots by the Laplacian of Gaussian, as laboratory diffraction contrast tomography usually finds them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from scipy.ndimage import gaussian_laplace, label

from beamforge.arrays import Float32
from beamforge.errors import InputError

Mask = NDArray[np.bool_]
AROUND = np.ones((3, 3), np.int8)
"""Pixels that touch, corners included, belong to one spot."""


class LaplacianSpots(BaseModel):
    """Segments a projection minus its rolling median.

    Values not above `background` become 0. The Laplacian of Gaussian tells blobs of about `sigma` px: regions where it
    is negative are spots, each as far as its values reach `percent` of the largest in it; regions of fewer than
    `minimum` pixels are dropped.

    Source: the routine that Fang et al. 2021 compare with, and its four parameters.

    Attributes
    ----------
    background
        In the units of the projection.
    sigma
        In px.
    percent
        Share of a spot's largest value.
    minimum
        Pixels of a spot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: NonNegativeFloat = 5.0
    sigma: PositiveFloat = 6.0
    percent: float = Field(default=0.10, ge=0.0, lt=1.0)
    minimum: PositiveInt = 10

    @property
    def halo(self) -> int:
        """Context in px."""
        return int(np.ceil(4.0 * self.sigma)) + 64

    def mask(self, difference: Float32) -> Mask:
        """Mark the spots.

        Parameters
        ----------
        difference
            A projection minus its background, float32 (y, x).

        Raises
        ------
        InputError
            If it is not an image or not finite.
        """
        difference = np.asarray(difference, np.float32)
        if difference.ndim != 2 or not np.isfinite(difference).all():
            raise InputError(f"spots are sought in an image (y, x) of finite values, not in {difference.shape}")
        above = np.where(difference > self.background, difference, np.float32(0.0))
        blobs, count = label(gaussian_laplace(above, self.sigma, mode="nearest") < 0.0, AROUND)
        if count == 0:
            return np.zeros(difference.shape, np.bool_)
        kept = (blobs > 0) & (above > 0.0)
        numbers, values = blobs[kept], above[kept]
        largest = np.zeros(count + 1)
        np.maximum.at(largest, numbers, values)
        kept[kept] = values >= self.percent * largest[numbers]
        return without_small(kept, self.minimum)


def without_small(mask: Mask, minimum: int) -> Mask:
    """Drop the regions of a mask that have fewer than `minimum` pixels."""
    numbers, _ = label(mask, AROUND)
    large = np.bincount(numbers.ravel()) >= minimum
    large[0] = False
    kept: Mask = large[numbers]
    return kept
