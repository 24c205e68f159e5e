"""Constants that a whole channel is off by."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Offset(Degradation, name="offset"):
    """Adds to the image, as an imperfect dark current or background does.

    Attributes
    ----------
    offset
        Added to all channels, in the image's units.
    spread
        Standard deviation between channels, in the image's units.
    """

    offset: Interval
    spread: Interval = Interval(low=0.0, high=0.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Shift each channel."""
        shifts = parameters["offset"] + parameters["spread"] * rng.standard_normal(len(sample.image))
        return sample.replace(image=sample.image + shifts.astype(np.float32)[:, None, None])
