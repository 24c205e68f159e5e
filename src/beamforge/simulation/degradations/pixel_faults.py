"""Pixels that do not work."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import PositiveFloat

from beamforge.physics.detector import PixelFaults
from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class PixelFaultsStep(Degradation, name="pixel_faults"):
    """Sets hot pixels brighter and stuck ones to a constant, the same pixels in all channels.

    Measured on dark images of 20 s: 5 pixels in 10,000 are hot, by 173 DN in the middle, where an open beam has
    4350 DN.

    Attributes
    ----------
    hot
        Part of all pixels that are hot.
    stuck
        Part of all pixels that always show `stuck_value`.
    brightness
        Median of what is added to hot ones, in the image's units; spread log-normally by a factor of e.
    stuck_value
        In the image's units.
    """

    hot: LogInterval = LogInterval(low=1e-4, high=2e-3)
    stuck: LogInterval = LogInterval(low=1e-6, high=1e-4)
    brightness: PositiveFloat = 0.04
    stuck_value: float = 0.0

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the pixels and apply them."""
        faults = PixelFaults(dead=parameters["stuck"], hot=parameters["hot"], hot_offset=self.brightness)
        offsets = faults.draw((sample.image.shape[1], sample.image.shape[2]), rng)
        image = np.where(np.isnan(offsets), np.float32(self.stuck_value), sample.image + offsets)
        return sample.replace(image=image.astype(np.float32, copy=False))
