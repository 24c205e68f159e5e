"""Overlap scores as pure functions of confusion matrices.

Every function takes confusions (..., class, class), rows the truth, of whole or weighted counts, and works on the last
two axes. With T the pixels of a class in the truth and P those predicted, Dice = 2|P∩T| / (|P| + |T|) and
IoU = |P∩T| / |P∪T|. Where a score has nothing to be computed from it is NaN: never 0, never 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float64

Confusions = NDArray[np.integer[Any]] | Float64


def dice(confusions: Confusions) -> Float64:
    """Give the Dice score of each class (..., class); NaN for a class neither in the truth nor predicted."""
    both, truth, predicted = _areas(confusions)
    return ratio(2 * both, truth + predicted)


def iou(confusions: Confusions) -> Float64:
    """Give the intersection over union of each class (..., class); NaN for a class neither true nor predicted."""
    both, truth, predicted = _areas(confusions)
    return ratio(both, truth + predicted - both)


def pixel_accuracy(confusions: Confusions) -> Float64:
    """Give the share of pixels whose class is right (...).

    This is also Dice in its micro form, all classes summed before dividing: every pixel has exactly one true and one
    predicted class, so 2 Σ|P∩T| / Σ(|P| + |T|) = Σ|P∩T| / pixels.
    """
    both, truth, _ = _areas(confusions)
    return ratio(both.sum(axis=-1), truth.sum(axis=-1))


def mean_dice(confusions: Confusions) -> Float64:
    """Give the mean Dice over the classes that the truth holds (...)."""
    return _mean(dice(confusions), _areas(confusions)[1] > 0)


def mean_iou_of_truth(confusions: Confusions) -> Float64:
    """Give the mean IoU over the classes that the truth holds (...)."""
    return _mean(iou(confusions), _areas(confusions)[1] > 0)


def mean_iou(confusions: Confusions) -> Float64:
    """Give the mean IoU over the classes that are in the truth or predicted (...)."""
    scores = iou(confusions)
    return _mean(scores, ~np.isnan(scores))


def ratio(numerator: Float64, denominator: Float64) -> Float64:
    """Divide, NaN where there is nothing to divide by."""
    undefined = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    quotient: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return quotient


def _areas(confusions: Confusions) -> tuple[Float64, Float64, Float64]:
    """Give |P∩T|, |T| and |P|, each (..., class)."""
    counts = np.asarray(confusions, dtype=np.float64)
    return np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1), counts.sum(axis=-2)


def _mean(scores: Float64, counted: NDArray[np.bool_]) -> Float64:
    """Average the counted classes."""
    return ratio(np.where(counted, scores, 0.0).sum(axis=-1), counted.sum(axis=-1).astype(np.float64))
