"""Mirrored images, for measurements without a preferred direction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.simulation.warp import moved


class Flip(Degradation, name="flip"):
    """Mirrors image and labels.

    Attributes
    ----------
    left_right, up_down
        How often, from 0 (never) to 1.
    """

    changes_labels: ClassVar[bool] = True

    left_right: float = Field(default=0.5, ge=0, le=1)
    up_down: float = Field(default=0.5, ge=0, le=1)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw whether to mirror."""
        first, second = rng.random(2)
        return {"left_right": bool(first < self.left_right), "up_down": bool(second < self.up_down)}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Mirror."""
        axes = tuple(axis for axis, name in ((-1, "left_right"), (-2, "up_down")) if parameters[name])

        def mirror(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(np.flip(values, axes))

        return moved(sample, mirror, mirror)
