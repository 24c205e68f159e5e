"""Brightness and contrast that differ from image to image."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Tone(Degradation, name="tone"):
    """Shifts the values and spreads them about their mean, each channel in its own units.

    Attributes
    ----------
    brightness
        Shift in standard deviations of the channel.
    contrast
        Factor of the distance from the channel's mean.
    """

    brightness: Interval = Interval(low=-0.5, high=0.5)
    contrast: LogInterval = LogInterval(low=0.8, high=1.25)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Shift and spread; pixels that are not finite stay so and count in neither mean nor deviation."""
        image = sample.image.astype(np.float64)
        finite = np.isfinite(image)
        count = np.maximum(finite.sum(axis=(-2, -1), keepdims=True), 1)
        mean = np.sum(image, axis=(-2, -1), keepdims=True, where=finite) / count
        variance = np.sum((image - mean) ** 2, axis=(-2, -1), keepdims=True, where=finite) / count
        changed = mean + parameters["contrast"] * (image - mean) + parameters["brightness"] * np.sqrt(variance)
        return sample.replace(image=changed.astype(np.float32))
