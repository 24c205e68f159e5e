"""Scores of a set of weighted tiles.

A statistic maps the confusions of all tiles and rows of weights to one score a row, so that the scores of thousands
of resamples are one matrix product away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from beamforge.arrays import Float64
from beamforge.evaluation import overlap
from beamforge.evaluation.confusion import Counts

Statistic = Callable[[Counts, Float64], Float64]
"""Maps confusions (tile, class, class) and weights (row, tile) to scores (row,) or (row, class)."""


def tile_mean(score: Callable[[overlap.Confusions], Float64]) -> Statistic:
    """Make a statistic: the score of each tile, averaged over the tiles where it is defined."""

    def statistic(confusions: Counts, weights: Float64) -> Float64:
        scores = score(confusions)
        defined = ~np.isnan(scores)
        return overlap.ratio(weights @ np.where(defined, scores, 0.0), weights @ defined.astype(np.float64))

    return statistic


def pooled(score: Callable[[overlap.Confusions], Float64]) -> Statistic:
    """Make a statistic: the score of the pixels of all tiles together."""

    def statistic(confusions: Counts, weights: Float64) -> Float64:
        tiles, classes, _ = confusions.shape
        sums = weights @ confusions.reshape(tiles, -1).astype(np.float64)
        return score(sums.reshape(-1, classes, classes))

    return statistic


HEADLINES: dict[str, Statistic] = {
    "dice": tile_mean(overlap.mean_dice),
    "dice_micro": tile_mean(overlap.pixel_accuracy),
    "mean_iou": pooled(overlap.mean_iou),
    "mean_iou_tiles": tile_mean(overlap.mean_iou),
    "pixel_accuracy": pooled(overlap.pixel_accuracy),
}
"""The scores of one number; `beamforge.evaluation.scores.Scores` says what each of them is."""

PER_CLASS: dict[str, Statistic] = {"iou": pooled(overlap.iou), "dice": pooled(overlap.dice)}
"""The scores of one number a class, from the pixels of all tiles together."""
