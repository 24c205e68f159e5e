"""The imaging detector: neutrons are counted, their light spreads, a camera reads it out.

The order of things is the detector's: neutrons arrive at random (`poisson_counts`), each makes a flash that spreads in
the scintillator (`point_spread`, so neighbouring pixels share their noise), the camera catches few of its photons
(noise that pixels do not share), gammas and fast neutrons hit the chip itself (`gamma_spots`, not spread by the
scintillator), the camera adds its offset and read-out noise, some pixels do not work, and the sum is written as whole
numbers (`digitise`). Every function is pure and takes arrays (..., y, x).
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32, Float64Field
from beamforge.errors import InputError
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.pixel_response import PixelResponse, gaussian_field


def poisson_counts(expected: Float32, rng: Generator) -> Float32:
    """Draw how many neutrons each pixel detects.

    Parameters
    ----------
    expected
        Expected number of detected neutrons, any shape.
    rng
        Random stream.

    Raises
    ------
    InputError
        If an expectation is negative or not finite.
    """
    lowest = float(np.min(expected, initial=0.0))
    if not (np.isfinite(expected).all() and lowest >= 0.0):
        raise InputError(
            f"expected counts reach down to {lowest:g} or are not finite; they are numbers of neutrons, so >= 0"
        )
    return rng.poisson(expected).astype(np.float32)


def point_spread(image: Float32, sigma: float | tuple[float, float]) -> Float32:
    """Spread light as a Gaussian.

    Applied to counts it makes their noise correlated, as it is in a scintillator.

    Parameters
    ----------
    image
        (..., y, x).
    sigma
        Standard deviation in px, one for both axes or (y, x).
    """
    narrow, wide = (min(sigma), max(sigma)) if isinstance(sigma, tuple) else (sigma, sigma)
    if narrow < 0.0:
        raise InputError(f"the point spread has sigma {narrow:g} px, expected 0 or more")
    image = np.asarray(image, dtype=np.float32)
    if wide == 0.0:
        return image
    axes = (image.ndim - 2, image.ndim - 1)
    spread: Float32 = gaussian_filter(image, sigma, axes=axes, mode="nearest")
    return spread


def wide_scatter(image: Float32, fraction: float, sigma: float) -> Float32:
    """Give the smooth field that scattering adds: a fraction of the image, spread very widely.

    Neutrons scattered by the sample, the scintillator's substrate and the housing arrive far from where they would
    have. On measured images the field is 5.6 to 7.3 % of the open beam. The beam is taken to end with the field, so
    nothing comes from outside.

    Parameters
    ----------
    image
        (..., y, x), what scatters.
    fraction
        How much of it arrives as scatter, from 0 to 1.
    sigma
        Width of the spread in px; the image is averaged in blocks of sigma/4 before the spreading, as nothing finer
        survives it.

    Returns
    -------
    The field to add, (..., y, x).
    """
    block = max(1, int(sigma / 4.0))
    height, width = image.shape[-2:]
    rows, columns = -(-height // block), -(-width // block)
    margins = [(0, 0)] * (image.ndim - 2) + [(0, rows * block - height), (0, columns * block - width)]
    padded = np.pad(image, margins, mode="constant")
    coarse = padded.reshape(*image.shape[:-2], rows, block, columns, block).mean(axis=(-3, -1), dtype=np.float64)
    axes = (image.ndim - 2, image.ndim - 1)
    spread: Float32 = gaussian_filter((fraction * coarse).astype(np.float32), sigma / block, axes=axes, mode="constant")
    for axis, count, size in ((-2, rows, height), (-1, columns, width)):
        spread = _stretched(spread, axis, (np.arange(size) + 0.5) / block - 0.5, count)
    return spread


def _stretched(image: Float32, axis: int, places: NDArray[np.float64], count: int) -> Float32:
    """Interpolate linearly at fractional places along an axis of `count` values; ends are held."""
    places = places.clip(0, count - 1)
    low = places.astype(np.intp)
    high = np.minimum(low + 1, count - 1)
    shape = [1] * image.ndim
    shape[axis] = len(places)
    weight = (places - low).astype(np.float32).reshape(shape)
    stretched: Float32 = np.take(image, low, axis) * (1 - weight) + np.take(image, high, axis) * weight
    return stretched


def beam_profile(
    shape: tuple[int, int], *, fall: float = 0.25, centre: tuple[float, float] = (0.5, 0.5), tilt: float = 0.0
) -> Float32:
    """Give the relative intensity of the beam, 1 at its brightest.

    Parameters
    ----------
    shape
        (y, x) in px.
    fall
        Relative loss half a field away from the centre; the profile is a Gaussian.
    centre
        Place of the maximum (y, x) as fractions of the field.
    tilt
        Relative difference between the left and the right side, as of a guide or a monochromator.
    """
    if not 0.0 <= fall < 1.0:
        raise InputError(f"the beam falls by {fall:g}, expected a fraction from 0 up to 1")
    y = ((np.arange(shape[0]) + 0.5) / shape[0] - centre[0])[:, None]
    x = ((np.arange(shape[1]) + 0.5) / shape[1] - centre[1])[None, :]
    steepness = 4.0 * math.log1p(-fall)
    profile = np.exp(steepness * y**2) * (np.exp(steepness * x**2) * (1.0 + tilt * x))
    relative: Float32 = (profile / profile.max()).astype(np.float32)
    return relative


def digitise(values: Float32, bits: int = 16) -> NDArray[np.uint16]:
    """Round to whole digital numbers (DN) as the camera's converter does; it saturates at both ends."""
    if not 1 <= bits <= 16:
        raise InputError(f"a converter of {bits} bits was asked for, expected 1 to 16")
    return np.rint(values).clip(0, 2**bits - 1).astype(np.uint16)


class PixelFaults(BaseModel):
    """How many pixels of the camera are faulty, as fractions of all, and how bright the hot ones are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dead: float = Field(default=2e-5, ge=0.0, le=1.0)
    hot: float = Field(default=2e-4, ge=0.0, le=1.0)
    hot_offset: PositiveFloat = 400.0
    """Median of the additional offset of hot pixels in DN; it is spread log-normally by a factor of e."""

    def draw(self, shape: tuple[int, int], rng: Generator) -> Float32:
        """Draw a map of the additional offset in DN; NaN marks dead pixels."""
        offsets = np.zeros(shape, np.float32)
        kind = rng.random(shape)
        is_hot = kind < self.hot
        offsets[is_hot] = self.hot_offset * rng.lognormal(0.0, 1.0, int(is_hot.sum()))
        offsets[kind > 1.0 - self.dead] = np.nan
        return offsets


class Detector(BaseModel):
    """A scintillator and a camera.

    The defaults were measured on images of the ICON beamline (PSI): offset, read-out noise, gain, light spread.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    gain: PositiveFloat = 5.0
    """Digital numbers a detected neutron makes."""
    photons: PositiveFloat | None = None
    """Photons that the camera catches of a detected neutron; None: so many that their number adds no noise."""
    offset: NonNegativeFloat = 300.0
    """Dark offset in DN."""
    read_noise: NonNegativeFloat = 11.0
    """Standard deviation of the read-out in DN."""
    read_covariance: Float64Field | None = None
    """(2 reach + 1, 2 reach + 1) autocovariance of the read-out by lag (y, x) relative to its variance, lag 0 in the
    middle: pixels that are read out together share noise. None: they share none."""
    psf: NonNegativeFloat | tuple[NonNegativeFloat, NonNegativeFloat] = 0.54
    """Standard deviation of the light spread in px, one for both axes or (y, x)."""
    bits: int = Field(default=16, ge=1, le=16)
    gamma: GammaSpots = GammaSpots()
    """Spots that come with the beam."""
    background: GammaSpots = GammaSpots(rate=0.0)
    """Spots that come without beam as well, hot pixels among them."""

    @model_validator(mode="after")
    def _offset_fits(self) -> Self:
        if self.read_covariance is not None:
            PixelResponse(covariance=self.read_covariance)
        if self.offset >= 2**self.bits - 1:
            raise ValueError(f"an offset of {self.offset:g} DN saturates a converter of {self.bits} bits")
        return self

    @property
    def saturation(self) -> int:
        """The highest digital number."""
        return int(2**self.bits - 1)

    def spread_variance(self) -> float:
        """Give the part of the variance of counting that the light's spread leaves in a pixel."""
        flash = np.zeros((33, 33), np.float32)
        flash[16, 16] = 1.0
        return float((point_spread(flash, self.psf).astype(np.float64) ** 2).sum())

    def expose(
        self,
        expected: Float32,
        seconds: float,
        rng: Generator,
        pixel_offsets: Float32 | None = None,
        response: Float32 | None = None,
    ) -> NDArray[np.uint16]:
        """Take a frame.

        Parameters
        ----------
        expected
            Expected number of detected neutrons in this exposure, (y, x); zeros for a dark frame.
        seconds
            Exposure time, which the gamma spots grow with.
        rng
            Random stream.
        pixel_offsets
            Additional offset of each pixel in DN, NaN for dead ones (`PixelFaults.draw`).
        response
            Part of the light that each pixel sees, 1 on average (`PixelResponse.draw`).

        Returns
        -------
        Digital numbers, uint16 (y, x).
        """
        light = point_spread(poisson_counts(expected, rng), self.psf)
        if response is not None:
            light = light * response
        if self.photons is not None:
            photons = np.float32(self.photons)
            light = poisson_counts(light * photons, rng) / photons
        signal = light * np.float32(self.gain)
        self.gamma.add_to(signal, seconds, rng)
        return self._read_out(signal, seconds, rng, pixel_offsets)

    def dark(
        self, shape: tuple[int, int], seconds: float, rng: Generator, pixel_offsets: Float32 | None = None
    ) -> NDArray[np.uint16]:
        """Take a frame (y, x) without beam; see `expose`."""
        return self._read_out(np.zeros(shape, np.float32), seconds, rng, pixel_offsets)

    def _read_noise(self, shape: tuple[int, int], rng: Generator) -> Float32:
        """Draw the noise of the read-out (y, x) with a standard deviation of 1."""
        if self.read_covariance is None:
            return rng.standard_normal(shape, dtype=np.float32)
        return gaussian_field(self.read_covariance, shape, rng).astype(np.float32)

    def _read_out(
        self, signal: Float32, seconds: float, rng: Generator, pixel_offsets: Float32 | None
    ) -> NDArray[np.uint16]:
        signal += np.float32(self.offset)
        signal += np.float32(self.read_noise) * self._read_noise((signal.shape[0], signal.shape[1]), rng)
        self.background.add_to(signal, seconds, rng)
        if pixel_offsets is not None:
            signal = np.nan_to_num(signal + pixel_offsets, copy=False, nan=0.0)
        return digitise(signal, self.bits)
