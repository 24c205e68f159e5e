"""Geometric unsharpness: a beam that is not parallel."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from pydantic import PositiveFloat
from scipy.fft import irfft2, next_fast_len, rfft2

from beamforge.arrays import Float32, Float64
from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Unsharpness(Degradation, name="unsharpness"):
    """Spreads the image over the disc that a round aperture throws: its diameter is the distance over L/D.

    Attributes
    ----------
    distance
        From the sample to the detector in mm. Knife edges at 5 to 100 mm were measured to spread by sigmas of 1.9 to
        7.9 px.
    collimation
        L/D: distance of the aperture over its diameter.
    pixel_size
        In µm.
    """

    distance: LogInterval = LogInterval(low=2.0, high=50.0)
    collimation: LogInterval = LogInterval(low=150.0, high=600.0)
    pixel_size: PositiveFloat = 44.0

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Blur each channel; the border counts as going on."""
        diameter = parameters["distance"] / parameters["collimation"] * 1000.0 / self.pixel_size
        return sample.replace(image=blurred_by_disc(sample.image, diameter))


def blurred_by_disc(image: Float32, diameter: float) -> Float32:
    """Average an image (channel, y, x) over a disc of a diameter in px, whose rim counts pixels in part."""
    kernel = disc(diameter)
    reach = len(kernel) // 2
    if reach == 0:
        return image
    wide = np.pad(image, [(0, 0), (reach, reach), (reach, reach)], mode="edge").astype(np.float64)
    shape = [next_fast_len(size + 2 * reach, real=True) for size in wide.shape[1:]]
    spread = irfft2(rfft2(wide, shape) * rfft2(kernel, shape), shape)
    rows, columns = (slice(2 * reach, 2 * reach + size) for size in image.shape[1:])
    return np.asarray(spread[:, rows, columns], np.float32)


def disc(diameter: float) -> Float64:
    """Give the weights (odd square) of a disc of a diameter in px, drawn eight times finer and averaged; sum 1."""
    fine, reach = 8, math.ceil(max(diameter / 2.0 - 0.5, 0.0))
    side = 2 * reach + 1
    places = (np.arange(side * fine) + 0.5) / fine - side / 2.0
    # Never smaller than the four fine pixels in the middle.
    inside = np.hypot(places[:, None], places[None, :]) <= max(diameter, 2.0 / fine) / 2.0
    weights = inside.reshape(side, fine, side, fine).sum(axis=(1, 3)).astype(np.float64)
    return np.asarray(weights / weights.sum())
