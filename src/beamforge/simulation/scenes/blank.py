"""A tile of one class, for steps that mark what they add."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import PositiveInt

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene


class Blank(Scene, name="blank"):
    """Every pixel is of the class 0.

    Attributes
    ----------
    tile
        Side of the tile in px.
    """

    tile: PositiveInt = 192

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay the tile."""
        return sample.replace(labels=np.zeros((self.tile, self.tile), np.uint8))
