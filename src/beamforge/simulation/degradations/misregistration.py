"""Channels that do not lie on top of each other."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.ndimage import shift

from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Misregistration(Degradation, name="misregistration"):
    """Moves each channel but the first, as a sample or camera does between exposures; the labels are the first's.

    Attributes
    ----------
    spread
        Standard deviation of the shifts in px, along y and x.
    """

    spread: Interval = Interval(low=0.0, high=0.5)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Shift with linear interpolation; the border counts as going on."""
        shifts = parameters["spread"] * rng.standard_normal((len(sample.image), 2))
        image = sample.image.copy()
        for frame, by in zip(image[1:], shifts[1:], strict=True):
            frame[:] = shift(frame, by, order=1, mode="nearest")
        return sample.replace(image=image.astype(np.float32, copy=False))
