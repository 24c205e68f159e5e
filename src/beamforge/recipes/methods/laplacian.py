"""The standard routine for diffraction spots, tuned on simulated truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, PositiveInt

from beamforge.classical.diffraction import tune
from beamforge.classical.diffraction.classifier import LaplacianClassifier
from beamforge.classical.diffraction.laplacian import Mask
from beamforge.evaluation.spot_matching import SpotJudgement, Spots, match_spots
from beamforge.recipes.methods.base import METHODS, Labelled, Method, check_contrast
from beamforge.stack import IGNORE, Channel, Classes


@METHODS.register("laplacian")
class Laplacian(Method):
    """Finds spots by `beamforge.classical.diffraction.LaplacianSpots`, at its best panoptic quality.

    Attributes
    ----------
    trials
        Settings that are tried at random.
    """

    fitted: ClassVar[type[BaseModel]] = LaplacianClassifier

    trials: PositiveInt = 60

    def fit(
        self, samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], rng: Generator
    ) -> BaseModel:
        """Choose the four parameters."""
        check_contrast(channels, classes)
        truths = [(Spots.of_mask(labels == 1), labels == IGNORE) for _, labels in samples]

        def judge(masks: Sequence[Mask]) -> float:
            matched = [
                match_spots(Spots.of_mask(mask), true, either)
                for mask, (true, either) in zip(masks, truths, strict=True)
            ]
            return SpotJudgement(matched, [np.zeros(len(true)) for true, _ in truths]).quality

        found = tune([image[0] for image, _ in samples], judge, rng, trials=self.trials)
        return LaplacianClassifier(routine=found.routine, channels=tuple(channels), classes=classes)
