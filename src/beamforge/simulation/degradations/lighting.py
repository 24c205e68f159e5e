"""Light that falls unevenly."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Lighting(Degradation, name="lighting"):
    """Multiplies the image by a smooth illumination, brighter towards one side and in or around the middle.

    Its logarithm is a plane plus a paraboloid, over the circle through the corners; its geometric mean is 1, so that
    the image as a whole becomes neither brighter nor darker.

    Attributes
    ----------
    slope
        Logarithm of the brightness at the bright rim over that of the middle.
    direction
        Where the bright side is, in degrees counter-clockwise from the right.
    vignette
        Logarithm of the brightness of the middle over that of the rim; below 0 the rim is brighter.
    """

    slope: Interval = Interval(low=0.0, high=0.25)
    direction: Interval = Interval(low=0.0, high=360.0)
    vignette: Interval = Interval(low=-0.1, high=0.25)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Illuminate every channel alike."""
        rows, columns = sample.labels.shape
        y, x = (np.arange(side) - (side - 1) / 2 for side in (rows, columns))
        radius = max(math.hypot(rows - 1, columns - 1) / 2, 1.0)
        angle = math.radians(parameters["direction"])
        plane = (math.cos(angle) * x[None, :] - math.sin(angle) * y[:, None]) / radius
        bowl = (x[None, :] ** 2 + y[:, None] ** 2) / radius**2
        exponent = parameters["slope"] * plane - parameters["vignette"] * (bowl - bowl.mean())
        return sample.replace(image=(sample.image * np.exp(exponent)).astype(np.float32))
