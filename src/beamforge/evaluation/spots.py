"""How well white spots are found, and what looking for them does to the rest of the image."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.ndimage import label

from beamforge.errors import InputError

Mask = NDArray[np.bool_]
_AROUND = np.ones((3, 3), np.int8)


class SpotScores(BaseModel):
    """Scores of a mask of spots.

    Attributes
    ----------
    precision, recall, f1, iou
        Over pixels; NaN where nothing is marked or there is nothing to find.
    found
        Share of the true spots (pixels that touch) with at least one pixel marked; NaN without any.
    false_alarms
        Marked regions that touch no true spot, per pixel that is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float
    recall: float
    f1: float
    iou: float
    found: float
    false_alarms: float

    @classmethod
    def of(cls, marked: Mask, truth: Mask) -> Self:
        """Compare a mask with the truth.

        Parameters
        ----------
        marked, truth
            Masks (y, x).

        Raises
        ------
        InputError
            If the sizes differ.
        """
        if marked.shape != truth.shape:
            raise InputError(f"the mask is {marked.shape} but the truth {truth.shape} (y, x)")
        both, either = int((marked & truth).sum()), int((marked | truth).sum())
        predicted, true = int(marked.sum()), int(truth.sum())
        return cls(
            precision=_ratio(both, predicted),
            recall=_ratio(both, true),
            f1=_ratio(2 * both, predicted + true),
            iou=_ratio(both, either),
            found=_share_touched(truth, marked),
            false_alarms=_ratio(_regions_apart(marked, truth), truth.size - true),
        )


class Damage(BaseModel):
    """What a cleaning did to pixels that were clean.

    Attributes
    ----------
    changed
        Share of the clean pixels whose value changed.
    largest, rms
        Largest and root mean square of the change over all clean pixels, in the image's units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    changed: float
    largest: float
    rms: float

    @classmethod
    def of(cls, before: NDArray[Any], after: NDArray[Any], truth: Mask) -> Self:
        """Compare images before and after, outside of the true spots.

        Raises
        ------
        InputError
            If the sizes differ or no pixel is clean.
        """
        if not before.shape == after.shape == truth.shape:
            raise InputError(f"the images are {before.shape} and {after.shape}, the truth {truth.shape} (y, x)")
        if truth.all():
            raise InputError("the truth holds nothing but spots; no pixel is clean")
        change = (after.astype(np.float64) - before.astype(np.float64))[~truth]
        change = change[np.isfinite(change)]
        return cls(
            changed=float(np.mean(change != 0)),
            largest=float(np.abs(change).max(initial=0.0)),
            rms=float(np.sqrt(np.mean(change**2))),
        )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _share_touched(regions: Mask, by: Mask) -> float:
    numbers, count = label(regions, _AROUND)
    return _ratio(len(np.setdiff1d(numbers[by], [0])), count)


def _regions_apart(regions: Mask, of: Mask) -> int:
    numbers, count = label(regions, _AROUND)
    return int(count) - len(np.setdiff1d(numbers[of], [0]))
