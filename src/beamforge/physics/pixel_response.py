"""How unequally pixels respond: the fixed pattern of scintillator, fibres and chip."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, model_validator
from scipy import fft

from beamforge.arrays import Float32, Float64, Float64Field


class PixelResponse(BaseModel):
    """A random field of relative response with a measured autocovariance.

    Attributes
    ----------
    covariance
        (2 reach + 1, 2 reach + 1) autocovariance of the relative response by lag (y, x) in px, lag 0 in the middle.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    covariance: Float64Field

    @model_validator(mode="after")
    def _square(self) -> Self:
        shape = self.covariance.shape
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] % 2 == 0:
            raise ValueError(f"covariances by lag have the shape {shape}, expected a square of odd sides, lag 0 inside")
        return self

    @property
    def spread(self) -> float:
        """Relative standard deviation between pixels."""
        reach = len(self.covariance) // 2
        return float(np.sqrt(max(self.covariance[reach, reach], 0.0)))

    def draw(self, shape: tuple[int, int], rng: Generator) -> Float32:
        """Draw a field (y, x) of mean 1; a Gaussian one, which has no other structure than its covariance."""
        if self.spread == 0.0:
            return np.ones(shape, np.float32)
        response: Float32 = (1.0 + gaussian_field(self.covariance, shape, rng)).astype(np.float32)
        return np.maximum(response, 0.0)


def gaussian_field(covariance: Float64, shape: tuple[int, int], rng: Generator) -> Float64:
    """Draw a Gaussian field (y, x) of mean 0 with an autocovariance by lag (y, x), lag 0 in the middle.

    The inner half of the lags is kept, the outer half falls to 0.
    """
    reach = len(covariance) // 2
    sides = [fft.next_fast_len(size + 2 * reach, real=True) for size in shape]
    lags = np.zeros(sides)
    window = np.arange(-reach, reach + 1)
    lags[np.ix_(window, window)] = covariance * _taper(reach)
    # A covariance that was measured, or cut off, is not exactly one: what is negative goes, the variance stays.
    power = np.maximum(fft.rfft2(lags).real, 0.0)
    power *= covariance[reach, reach] / fft.irfft2(power, sides)[0, 0]
    field = fft.irfft2(fft.rfft2(rng.standard_normal(sides)) * np.sqrt(power), sides)
    return np.asarray(field[: shape[0], : shape[1]], np.float64)


def _taper(reach: int) -> Float64:
    """Leave the inner half of the lags alone and let the outer half fall to 0."""
    distance = np.abs(np.arange(-reach, reach + 1)) / max(reach, 1)
    fall = np.cos(np.pi * np.clip(distance - 0.5, 0.0, 0.5)) ** 2
    return np.asarray(fall[:, None] * fall[None, :])
