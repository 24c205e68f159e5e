"""Factors that a whole channel is off by."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Gain(Degradation, name="gain"):
    """Multiplies the image, as the dose of an exposure that nobody measured exactly does.

    Attributes
    ----------
    gain
        Factor of all channels.
    spread
        Relative standard deviation between channels, each of which has its own reference exposure.
    """

    gain: LogInterval = LogInterval(low=0.98, high=1.02)
    spread: Interval = Interval(low=0.0, high=0.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Scale each channel."""
        scores = rng.standard_normal(len(sample.image))
        factors = parameters["gain"] * np.exp(parameters["spread"] * scores)
        return sample.replace(image=sample.image * factors.astype(np.float32)[:, None, None])
