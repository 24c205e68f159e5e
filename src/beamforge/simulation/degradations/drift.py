"""Slow changes of intensity over the image."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from pydantic import Field
from scipy.ndimage import gaussian_filter, map_coordinates

from beamforge.arrays import Float32
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation

_POINTS_PER_LENGTH = 4


class Drift(Degradation, name="drift"):
    """Adds and multiplies by smooth random fields: what is left of scatter, shading, a beam that moved.

    Attributes
    ----------
    additive
        Standard deviation of the added field in the image's units.
    multiplicative
        Standard deviation of the relative field.
    length
        Correlation length in px: the fields are white noise smoothed by a Gaussian of this standard deviation.
    shared
        Part of the fields' variance that all channels have in common, from 0 to 1.
    """

    additive: Interval = Interval(low=0.0, high=0.0)
    multiplicative: Interval = Interval(low=0.0, high=0.02)
    length: LogInterval = LogInterval(low=20.0, high=100.0)
    shared: float = Field(default=1.0, ge=0.0, le=1.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw both fields and apply them."""
        channels, *shape = sample.image.shape
        size = (shape[0], shape[1])
        image = sample.image
        if parameters["multiplicative"] > 0.0:
            field = self._fields(channels, size, parameters["length"], rng)
            image = image * (1.0 + np.float32(parameters["multiplicative"]) * field)
        if parameters["additive"] > 0.0:
            field = self._fields(channels, size, parameters["length"], rng)
            image = image + np.float32(parameters["additive"]) * field
        return sample.replace(image=image)

    def _fields(self, channels: int, size: tuple[int, int], length: float, rng: Generator) -> Float32:
        common = smooth_field(1, size, length, rng) if self.shared > 0.0 else np.float32(0.0)
        if self.shared == 1.0:
            return np.broadcast_to(common, (channels, *size))
        own = smooth_field(channels, size, length, rng)
        mixed: Float32 = np.float32(math.sqrt(self.shared)) * common + np.float32(math.sqrt(1 - self.shared)) * own
        return mixed


def smooth_field(count: int, size: tuple[int, int], length: float, rng: Generator) -> Float32:
    """Draw smooth Gaussian random fields of unit variance.

    Parameters
    ----------
    count
        Number of independent fields.
    size
        (y, x) in px.
    length
        Standard deviation in px of the Gaussian that smooths white noise; the correlation at a distance r is
        exp(-r^2 / (4 length^2)).
    rng
        Random stream.
    """
    step = length / _POINTS_PER_LENGTH
    margin = 4 * _POINTS_PER_LENGTH
    rows, columns = (math.ceil(extent / step) + 2 * margin + 2 for extent in size)
    noise = rng.standard_normal((count, rows, columns), dtype=np.float32)
    coarse = gaussian_filter(noise, _POINTS_PER_LENGTH, axes=(1, 2), mode="wrap")
    # Smoothing by sigma leaves the variance 1 / (4 pi sigma^2).
    coarse *= np.float32(math.sqrt(4.0 * math.pi) * _POINTS_PER_LENGTH)
    places = np.meshgrid(*(np.arange(extent) / step + margin for extent in size), indexing="ij")
    fields = [map_coordinates(field, places, order=1, output=np.float32) for field in coarse]
    return np.stack(fields)
