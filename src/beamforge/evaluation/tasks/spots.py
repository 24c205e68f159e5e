"""Finding white spots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from beamforge.arrays import Integers
from beamforge.evaluation.spots import SpotScores
from beamforge.evaluation.tasks.base import TASKS, Task, class_number
from beamforge.stack import Classes


@TASKS.register("spots")
class Spots(Task):
    """Scores how well the pixels of spots are found; see `beamforge.evaluation.spots`.

    Attributes
    ----------
    of
        Name of the class.
    """

    names: ClassVar[tuple[str, ...]] = ("F1", "precision", "recall", "spots found")

    of: str = Field(default="spot")

    def scores(self, predicted: Integers, truth: Integers, classes: Classes) -> Mapping[str, float]:
        """Score one image."""
        number = class_number(self.of, classes)
        found = SpotScores.of(predicted == number, truth == number)
        values = (found.f1, found.precision, found.recall, found.found)
        return dict(zip(self.names, values, strict=True))
