"""Following thin, connected things such as roots and cracks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from beamforge.arrays import Integers
from beamforge.evaluation.connectivity import cl_dice, length_error, skeleton_precision, skeleton_recall
from beamforge.evaluation.tasks.base import TASKS, Task, class_number
from beamforge.stack import Classes


@TASKS.register("connectivity")
class Connectivity(Task):
    """Scores the course of lines, not their width; see `beamforge.evaluation.connectivity`.

    Attributes
    ----------
    of
        Name of the class.
    """

    names: ClassVar[tuple[str, ...]] = ("clDice", "skeleton recall", "skeleton precision", "length error")

    of: str

    def scores(self, predicted: Integers, truth: Integers, classes: Classes) -> Mapping[str, float]:
        """Score one image; nothing is said of one without the class."""
        number = class_number(self.of, classes)
        found, true = predicted == number, truth == number
        if not true.any():
            return dict.fromkeys(self.names, math.nan)
        measures = (cl_dice, skeleton_recall, skeleton_precision, length_error)
        return {name: measure(found, true) for name, measure in zip(self.names, measures, strict=True)}
