"""Scores of boundaries between grains: where they run counts, not how wide they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt
from scipy.ndimage import distance_transform_edt

from beamforge.errors import InputError
from beamforge.evaluation.connectivity import skeleton

Mask = NDArray[np.bool_]


class BoundaryCounts(BaseModel):
    """Pixels of two skeletons, and how many of them have the other skeleton near; counts of images can be added.

    Attributes
    ----------
    predicted, predicted_near
        Pixels of the prediction's skeleton, and those within the tolerance of the truth's.
    true, true_near
        Pixels of the truth's skeleton, and those within the tolerance of the prediction's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    predicted: NonNegativeInt = 0
    predicted_near: NonNegativeInt = 0
    true: NonNegativeInt = 0
    true_near: NonNegativeInt = 0

    @classmethod
    def of(cls, predicted: Mask, truth: Mask, tolerance: float = 3.0) -> Self:
        """Compare two masks of boundaries (y, x).

        Parameters
        ----------
        predicted, truth
            Masks; both are thinned to their skeletons.
        tolerance
            Largest Euclidean distance in px at which two skeletons' pixels count as the same place.

        Raises
        ------
        InputError
            If the shapes differ or the tolerance is below 0.

        Notes
        -----
        Source: Martin, Fowlkes and Malik 2004, with a distance instead of an assignment of pixels, so that a
        boundary may be matched by two that run beside each other.
        """
        if np.shape(predicted) != np.shape(truth):
            raise InputError(
                f"the prediction has shape {np.shape(predicted)}, the truth {np.shape(truth)}; they must agree"
            )
        if not tolerance >= 0.0:
            raise InputError(f"a tolerance of {tolerance} px, expected 0 or more")
        found, real = skeleton(predicted), skeleton(truth)
        return cls(
            predicted=int(found.sum()),
            predicted_near=int((_distance_to(real)[found] <= tolerance).sum()),
            true=int(real.sum()),
            true_near=int((_distance_to(found)[real] <= tolerance).sum()),
        )

    @classmethod
    def total(cls, counts: Iterable[BoundaryCounts]) -> Self:
        """Add the counts of several images."""
        rows = [one.model_dump() for one in counts]
        return cls(**{name: sum(row[name] for row in rows) for name in cls.model_fields})

    @property
    def precision(self) -> float:
        """Share of the prediction's skeleton that is right; NaN if nothing was predicted."""
        return self.predicted_near / self.predicted if self.predicted else math.nan

    @property
    def recall(self) -> float:
        """Share of the truth's skeleton that was found; NaN if there is none."""
        return self.true_near / self.true if self.true else math.nan

    @property
    def f(self) -> float:
        """Harmonic mean of precision and recall; 0 if either mask alone is empty, NaN if both are."""
        if not self.predicted and not self.true:
            return math.nan
        if not self.predicted_near or not self.true_near:
            return 0.0
        return 2.0 * self.precision * self.recall / (self.precision + self.recall)


def drawn_width(mask: Mask) -> float:
    """Say how wide in px the lines of a mask (y, x) are drawn: its area over its skeleton's length.

    Raises
    ------
    InputError
        If the mask is empty.
    """
    from beamforge.evaluation.connectivity import skeleton_length

    length = skeleton_length(mask)
    if length == 0.0:
        raise InputError("the mask holds no line whose width could be measured")
    return float(np.count_nonzero(mask)) / length


def _distance_to(mask: Mask) -> NDArray[np.float64]:
    if not mask.any():
        return np.full(mask.shape, np.inf)
    distance: NDArray[np.float64] = distance_transform_edt(~mask)
    return distance
