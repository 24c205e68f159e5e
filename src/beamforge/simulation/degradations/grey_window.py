"""A picture of a measurement instead of the measurement: windowed to 256 grey levels."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation

_LEVELS = 255


class GreyWindow(Degradation, name="grey_window"):
    """Maps a window of values to the grey levels 0 to 255 and rounds, as figures of papers and lectures are made.

    Attributes
    ----------
    black, white
        Values that become 0 and 255; what lies outside is cut off.
    gamma
        Exponent of the levels in between.
    """

    black: Interval = Interval(low=0.0, high=0.15)
    white: Interval = Interval(low=0.75, high=1.05)
    gamma: LogInterval = LogInterval(low=0.8, high=1.3)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Cut, bend, round."""
        width = max(parameters["white"] - parameters["black"], 1e-6)
        share = np.clip((sample.image - parameters["black"]) / width, 0.0, 1.0)
        return sample.replace(image=np.rint(_LEVELS * share ** parameters["gamma"]).astype(np.float32))
