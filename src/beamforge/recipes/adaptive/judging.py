"""Judging the networks of an adaptive recipe on the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from beamforge.evaluation import count_confusions
from beamforge.evaluation.overlap import mean_iou, pixel_accuracy
from beamforge.learning.adaptive.scoring import log_likelihood, score_samples
from beamforge.predictor import Predictor

if TYPE_CHECKING:
    from beamforge.learning.data import LabelledImages


def judge(
    rows: Mapping[str, Predictor], reference: str, samples: LabelledImages, tail: float
) -> dict[str, dict[str, float]]:
    """Judge every network on all samples and on the hard ones among them.

    Which samples are hard is decided by one of the networks, before the others were trained, so that the comparison of
    those is on samples that neither of them chose.

    Parameters
    ----------
    rows
        The networks by name.
    reference
        Name of the one that says what is hard: its samples of the lowest mean IoU.
    samples
        What judges.
    tail
        Share of the samples that is hard.

    Returns
    -------
    By row and figure: mean IoU and pixel error of the pixels of all samples, the mean IoU of the hard ones', and the
    mean log-likelihood of the true classes over all samples, which is what trainings with cross-entropy raise.
    """
    counts = count_confusions(rows, samples)
    by_sample = mean_iou(counts[reference])
    hard = np.argsort(by_sample, kind="stable")[: max(1, round(tail * len(by_sample)))]
    return {
        row: {
            "mean IoU": float(mean_iou(found.sum(axis=0))),
            "pixel error": 1.0 - float(pixel_accuracy(found.sum(axis=0))),
            "mean IoU of the hard": float(mean_iou(found[hard].sum(axis=0))),
            "log-likelihood": float(np.nanmean(score_samples(rows[row], samples, log_likelihood))),
        }
        for row, found in counts.items()
    }
