"""How well a network does on each single sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from beamforge.learning.plan import LabelledTiles

Labels = NDArray[Any]
Score = Callable[[Float32, Labels], float]
"""Maps the log-probabilities (class, y, x) of a sample and its labels (y, x) to a number, the higher the better; NaN if
no pixel counts."""


def mean_iou(log_probabilities: Float32, labels: Labels) -> float:
    """Give the mean IoU of the classes that the labels hold."""
    counted = labels != IGNORE
    truth, found = labels[counted].astype(np.int64), log_probabilities.argmax(axis=0)[counted]
    if not truth.size:
        return float("nan")
    classes = len(log_probabilities)
    table = np.bincount(truth * classes + found, minlength=classes**2).reshape(classes, classes).astype(np.float64)
    both, held = np.diagonal(table), table.sum(axis=1)
    either = held + table.sum(axis=0) - both
    return float(np.mean((both / np.maximum(either, 1.0))[held > 0]))


def log_likelihood(log_probabilities: Float32, labels: Labels) -> float:
    """Give the mean log-probability of the true classes."""
    counted = labels != IGNORE
    if not counted.any():
        return float("nan")
    truth = np.where(counted, labels, 0).astype(np.int64)
    own = np.take_along_axis(log_probabilities, truth[None], axis=0)[0]
    return float(own[counted].mean(dtype=np.float64))


def calibrated_likelihood(log_probabilities: Float32, labels: Labels) -> float:
    """Give the mean log-probability of the true classes minus what the network itself expects it to be.

    The expectation is the negative entropy of its probabilities. Where noise hides the truth, a network that knows so
    scores near 0, however wrong it is; where it is confident and wrong, there is something to learn, and it scores far
    below 0.
    """
    counted = labels != IGNORE
    if not counted.any():
        return float("nan")
    expected = np.sum(np.exp(log_probabilities) * log_probabilities, axis=0)
    return log_likelihood(log_probabilities, labels) - float(expected[counted].mean(dtype=np.float64))


SCORES: dict[str, Score] = {
    "mean_iou": mean_iou,
    "log_likelihood": log_likelihood,
    "calibrated_likelihood": calibrated_likelihood,
}


class GivesLogProbabilities(Protocol):
    """A network that segments or classifies."""

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) to log-probabilities (batch, class, y, x) or (batch, class)."""
        ...


def score_samples(
    predictor: GivesLogProbabilities, samples: LabelledTiles, score: Score, *, batch: int = 16
) -> Float64:
    """Score each sample of a data set.

    Parameters
    ----------
    predictor
        What is judged.
    samples
        Images of one shape with labels (y, x), or labels (1, 1) for a network that classifies whole tiles.
    score
        One of `SCORES` or a function like them.
    batch
        Samples predicted at once.

    Returns
    -------
    float64 (sample,), NaN where no pixel counts.
    """
    scores: list[float] = []
    for start in range(0, len(samples), batch):
        some = [samples[number] for number in range(start, min(start + batch, len(samples)))]
        images = np.stack([image.numpy() for image, _ in some])
        found = predictor.log_probabilities(images)
        truths = [labels.numpy() for _, labels in some]
        scores += [score(one.reshape(-1, *truth.shape), truth) for one, truth in zip(found, truths, strict=True)]
    return np.array(scores)


def worst(scores: Float64, count: int) -> NDArray[np.int64]:
    """Give the numbers of the samples (count,) with the lowest scores, the lowest first; those without one never."""
    order = np.argsort(scores, kind="stable")
    defined = order[~np.isnan(scores[order])]
    return defined[:count].astype(np.int64)
