"""Counting noise of an image that is given as transmission."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.physics.detector import point_spread, poisson_counts
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class TransmissionNoise(Degradation, name="transmission_noise"):
    """Counts the neutrons of each pixel; their light spreads, so that neighbours share their noise.

    Attributes
    ----------
    counts
        Neutrons detected per pixel of the open beam.
    spread
        Standard deviation in px of the light of one neutron.
    """

    counts: LogInterval = LogInterval(low=300.0, high=30000.0)
    spread: Interval = Interval(low=0.3, high=1.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the counts; a transmission below 0 counts as 0."""
        expected = np.maximum(sample.image, 0.0) * np.float32(parameters["counts"])
        light = point_spread(poisson_counts(expected, rng), parameters["spread"])
        return sample.replace(image=light / np.float32(parameters["counts"]))
