"""Overlap scores as pure functions of confusion matrices.

Every function takes confusions (..., class, class), rows the truth, of whole or weighted counts, and works on the last
two axes. With T the pixels of a class in the truth and P those predicted, Dice = 2|P∩T| / (|P| + |T|) and
IoU = |P∩T| / |P∪T|.

A class that the truth does not hold has no score: NaN, never 0, never 1. Pixels wrongly given to it lower the scores
of the classes they were taken from. Counting it as 0 instead would let a single pixel cost a whole class, and would
let the resamples of a bootstrap that happen to miss a rare class cost it too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float64

Confusions = NDArray[np.integer[Any]] | Float64


def dice(confusions: Confusions) -> Float64:
    """Give the Dice score of each class (..., class); NaN for a class that the truth does not hold."""
    both, truth, predicted = _areas(confusions)
    return np.where(truth > 0, ratio(2 * both, truth + predicted), np.nan)


def iou(confusions: Confusions) -> Float64:
    """Give the intersection over union of each class (..., class); NaN for a class that the truth does not hold."""
    both, truth, predicted = _areas(confusions)
    return np.where(truth > 0, ratio(both, truth + predicted - both), np.nan)


def pixel_accuracy(confusions: Confusions) -> Float64:
    """Give the share of pixels whose class is right (...).

    This is also Dice in its micro form, all classes summed before dividing: every pixel has exactly one true and one
    predicted class, so 2 Σ|P∩T| / Σ(|P| + |T|) = Σ|P∩T| / pixels.
    """
    both, truth, _ = _areas(confusions)
    return ratio(both.sum(axis=-1), truth.sum(axis=-1))


def mean_dice(confusions: Confusions) -> Float64:
    """Give the mean Dice over the classes that the truth holds (...)."""
    return _mean(dice(confusions))


def mean_iou(confusions: Confusions) -> Float64:
    """Give the mean IoU over the classes that the truth holds (...)."""
    return _mean(iou(confusions))


def ratio(numerator: Float64, denominator: Float64) -> Float64:
    """Divide, NaN where there is nothing to divide by."""
    undefined = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    quotient: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return quotient


def _areas(confusions: Confusions) -> tuple[Float64, Float64, Float64]:
    """Give |P∩T|, |T| and |P|, each (..., class)."""
    counts = np.asarray(confusions, dtype=np.float64)
    return np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1), counts.sum(axis=-2)


def _mean(scores: Float64) -> Float64:
    """Average the classes that have a score."""
    defined = ~np.isnan(scores)
    return ratio(np.where(defined, scores, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))
