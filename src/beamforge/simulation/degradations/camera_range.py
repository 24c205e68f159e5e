"""A camera that counts no further than its range."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import model_validator

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class CameraRange(Degradation, name="camera_range"):
    """Limits values to what can be stored, as 8-bit images are over- and underexposed.

    Attributes
    ----------
    low, high
        Limits in the image's units.
    """

    low: float = 0.0
    high: float = 255.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"the lower limit {self.low} is not below the upper one, {self.high}")
        return self

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Limit."""
        return sample.replace(image=np.clip(sample.image, np.float32(self.low), np.float32(self.high)))
