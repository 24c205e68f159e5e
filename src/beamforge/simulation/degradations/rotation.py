"""Images turned by any angle."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.simulation.warp import warped


class Rotation(Degradation, name="rotation"):
    """Turns image and labels about the middle; corners that come from beyond the border are reflections.

    Attributes
    ----------
    angle
        In degrees, counter-clockwise as seen.
    """

    changes_labels: ClassVar[bool] = True

    angle: Interval = Interval(low=-10.0, high=10.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Turn."""
        angle = math.radians(parameters["angle"])
        cosine, sine = math.cos(angle), math.sin(angle)
        # y points down: what stands right of the middle comes from below it when turned counter-clockwise.
        return warped(sample, np.array([[cosine, sine], [-sine, cosine]]))
