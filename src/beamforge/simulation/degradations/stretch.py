"""Images at another magnification, also unequal along the two axes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.simulation.warp import warped


class Stretch(Degradation, name="stretch"):
    """Stretches or shrinks image and labels about the middle; what comes from beyond the border is a reflection.

    Attributes
    ----------
    along_y, along_x
        Factors; above 1 everything becomes larger.
    """

    changes_labels: ClassVar[bool] = True

    along_y: LogInterval = LogInterval(low=0.9, high=1.1)
    along_x: LogInterval = LogInterval(low=0.9, high=1.1)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Stretch."""
        return warped(sample, np.diag([1 / parameters["along_y"], 1 / parameters["along_x"]]))
