"""Images turned by right angles, for measurements without a preferred direction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.simulation.warp import moved


class QuarterTurns(Degradation, name="quarter_turns"):
    """Turns image and labels by 0, 90, 180 or 270 degrees; those that are not square by 0 or 180."""

    changes_labels: ClassVar[bool] = True

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the number of turns."""
        rows, columns = sample.labels.shape
        return {"turns": int(rng.integers(4)) if rows == columns else 2 * int(rng.integers(2))}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Turn."""

        def turn(values: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(np.rot90(values, parameters["turns"], axes=(-2, -1)))

        return moved(sample, turn, turn)
