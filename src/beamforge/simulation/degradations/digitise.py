"""The grey levels a camera stores."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import Field

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Digitise(Degradation, name="digitise"):
    """Cuts off below black (0) and above white (1) and rounds to the levels of so many bits.

    Attributes
    ----------
    bits
        Bits per pixel.
    """

    bits: int = Field(default=8, ge=1, le=16)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Cut off and round."""
        steps = np.float32(2**self.bits - 1)
        return sample.replace(image=np.rint(np.clip(sample.image, 0.0, 1.0) * steps) / steps)
