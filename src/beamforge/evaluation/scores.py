"""The scores of one predictor on one data set."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64, Int64Field
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap, Estimate, estimate
from beamforge.evaluation.confusion import Counts
from beamforge.evaluation.overlap import ratio
from beamforge.evaluation.statistic import HEADLINES, PER_CLASS


class ClassScores(BaseModel):
    """The scores of one class from the pixels of all tiles; None where the truth does not hold the class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pixels: int
    iou: Estimate | None
    dice: Estimate | None


class Scores(BaseModel):
    """How well a predictor does on a data set, JSON-able.

    Attributes
    ----------
    dice
        The headline: the mean over tiles of each tile's Dice, which is the mean over the classes in the tile's truth
        of 2|P∩T| / (|P| + |T|). Source: Sathe et al. 2024, Eq. 8, whose text leaves open how classes are averaged.
    dice_micro
        The other reading of Eq. 8: within a tile all classes are summed before dividing; then averaged over tiles.
    mean_iou
        IoU of each class from the pixels of all tiles, averaged over the classes that the truth holds anywhere.
    mean_iou_tiles
        The mean over tiles of the mean IoU of the classes in the tile's truth, as the neutron paper averages.
    pixel_accuracy
        Share of the pixels whose class is right.
    per_class
        IoU and Dice of each class from the pixels of all tiles.
    confusion
        Pixels (true class, predicted class).
    tiles, pixels
        What was counted; tiles without a counted pixel are not.
    bootstrap
        How the intervals over tiles were computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    dice: Estimate
    dice_micro: Estimate
    mean_iou: Estimate
    mean_iou_tiles: Estimate
    pixel_accuracy: Estimate
    per_class: tuple[ClassScores, ...]
    confusion: Int64Field
    tiles: int
    pixels: int
    bootstrap: Bootstrap

    @classmethod
    def from_confusions(cls, confusions: Counts, names: tuple[str, ...], bootstrap: Bootstrap | None = None) -> Self:
        """Compute all scores.

        Parameters
        ----------
        confusions
            Counts of each tile (tile, class, class).
        names
            Names of the classes.
        bootstrap
            How intervals are computed.

        Raises
        ------
        InputError
            If no pixel was counted, or the names do not fit.
        """
        bootstrap = bootstrap or Bootstrap()
        if confusions.ndim != 3 or confusions.shape[1:] != (len(names), len(names)):
            raise InputError(f"the confusions have shape {confusions.shape}, expected (tile, class, class) of {names}")
        confusions = confusions[confusions.any(axis=(1, 2))]
        if not len(confusions):
            raise InputError("there is no pixel to judge: every label is ignore (255) or its intensity is not finite")
        headlines = {name: estimate(statistic, confusions, bootstrap)[0] for name, statistic in HEADLINES.items()}
        by_class = {name: estimate(statistic, confusions, bootstrap) for name, statistic in PER_CLASS.items()}
        total = confusions.sum(axis=0)
        per_class = tuple(
            ClassScores(name=name, pixels=pixels, iou=iou, dice=dice)
            for name, pixels, iou, dice in zip(
                names, total.sum(axis=1).tolist(), by_class["iou"], by_class["dice"], strict=True
            )
        )
        return cls.model_validate({
            **headlines,
            "per_class": per_class,
            "confusion": total,
            "tiles": len(confusions),
            "pixels": int(total.sum()),
            "bootstrap": bootstrap,
        })  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """Give a flat table: score, class (None for scores of all classes), value, low, high; None where undefined."""
        scores: list[tuple[str, str | None, Estimate | None]] = [
            (name, None, getattr(self, name)) for name in HEADLINES
        ]
        scores += [(metric, one.name, getattr(one, metric)) for metric in PER_CLASS for one in self.per_class]
        return [{"score": score, "class": name, **_cells(value)} for score, name, value in scores]

    def row_normalised(self) -> Float64:
        """Give the confusion matrix as shares of each true class (class, class), NaN for classes without pixels."""
        counts = np.asarray(self.confusion, dtype=np.float64)
        totals = counts.sum(axis=1, keepdims=True)
        return ratio(counts, totals)


def _cells(value: Estimate | None) -> dict[str, float | None]:
    if value is None:
        return {"value": None, "low": None, "high": None}
    low, high = value.interval or (None, None)
    return {"value": value.value, "low": low, "high": high}
