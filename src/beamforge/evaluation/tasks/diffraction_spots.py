"""Finding diffraction spots, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from beamforge.arrays import Integers
from beamforge.evaluation.spot_matching import SpotJudgement, Spots, match_spots
from beamforge.evaluation.tasks.base import TASKS, Task, class_number
from beamforge.stack import IGNORE, Classes


@TASKS.register("diffraction_spots")
class DiffractionSpots(Task):
    """Scores spots matched one to one; see `beamforge.evaluation.spot_matching`.

    Attributes
    ----------
    of
        Name of the class.
    """

    names: ClassVar[tuple[str, ...]] = (
        "panoptic quality", "recall of spots", "false spots", "area error", "centroid error", "merged", "split",
    )  # fmt: skip

    of: str = Field(default="spot")

    def scores(self, predicted: Integers, truth: Integers, classes: Classes) -> Mapping[str, float]:
        """Score one image; spots that the truth ignores are 255 in both."""
        number = class_number(self.of, classes)
        true = Spots.of_mask(truth == number)
        matching = match_spots(Spots.of_mask(predicted == number), true, truth == IGNORE)
        judged = SpotJudgement([matching], [np.ones(len(true))])
        values = (
            judged.quality, judged.recall()[0], judged.alarms, judged.area_error(), judged.centroid_error(),
            judged.merged, judged.split,
        )  # fmt: skip
        return dict(zip(self.names, values, strict=True))
