"""Other stains, other lamps, other polarity."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import Field

from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Recolouring(Degradation, name="recolouring"):
    """Mixes channels around the image's mean by a random matrix, so that a network cannot rest on colours it has seen.

    Attributes
    ----------
    strength
        Standard deviation of what the matrix has beside the identity; 0 keeps the image.
    shift
        Standard deviation of a constant added to each channel, in the image's units.
    inversion
        How often light and dark are swapped.
    """

    strength: Interval = Interval(low=0.0, high=0.4)
    shift: Interval = Interval(low=0.0, high=15.0)
    inversion: float = Field(default=0.2, ge=0.0, le=1.0)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the intervals, and whether light and dark are swapped."""
        return {**super().draw(sample, rng), "inverted": bool(rng.random() < self.inversion)}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Mix the channels."""
        channels = len(sample.image)
        matrix = np.eye(channels) + parameters["strength"] * rng.standard_normal((channels, channels))
        if parameters["inverted"]:
            matrix = -matrix
        mean = sample.image.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
        level = mean + parameters["shift"] * rng.standard_normal((channels, 1, 1))
        mixed = np.tensordot(matrix, sample.image - mean, axes=1) + level
        return sample.replace(image=mixed.astype(np.float32))
