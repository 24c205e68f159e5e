"""How much each class has to weigh for the highest mean IoU, found on validation slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.evaluation import confusion, predict_log_probabilities
from beamforge.evaluation.overlap import mean_iou
from beamforge.io.slices import AnnotatedSlices
from beamforge.predictor import Predictor
from beamforge.recipes.comparison.judging import WINDOW
from beamforge.stack import IGNORE, as_stack

_PIXELS = 2_000_000
"""Most pixels to choose by: a rare class of one in a thousand still has 2000 of them."""
_FACTORS = 2.0 ** np.array([0, -1, 1, -2, 2, -3, 3])
"""What a class may weigh more or less in a sweep; what changes least comes first and wins a tie."""
_SWEEPS = 2


def best_prior(
    predictor: Predictor, slices: AnnotatedSlices, numbers: Sequence[int], reach: int, rng: Generator
) -> tuple[float, ...]:
    """Choose what the probabilities of the classes are multiplied by, so that mean IoU on other slices is highest.

    The most probable class makes the fewest wrong pixels, which is not the highest mean IoU, and how generously an
    annotator draws a class may differ between what a network learnt from and the rest.

    Parameters
    ----------
    predictor
        Trained.
    slices, numbers
        The data, and the slices to choose by.
    reach
        Neighbouring slices on either side that the predictor sees.
    rng
        Draws the pixels, where there are more than 2 · 10⁶.

    Returns
    -------
    One factor for each class, in sum 1.
    """
    chosen = max(1, _PIXELS // len(numbers))
    found, truth = [], []
    for number in numbers:
        labels = slices.labels(number).ravel()
        usable = np.flatnonzero((labels != IGNORE) & np.isfinite(slices.image(number)).all(axis=0).ravel())
        if usable.size > chosen:
            usable = rng.choice(usable, chosen, replace=False)
        stack = as_stack(slices.window(number, reach), slices.window_channels(reach))
        logarithms = predict_log_probabilities(predictor, stack, WINDOW)
        found.append(logarithms.reshape(len(logarithms), -1)[:, usable])
        truth.append(labels[usable])
    return best_factors(np.concatenate(found, axis=1), np.concatenate(truth))


def best_factors(logarithms: Float32, labels: NDArray[np.uint8]) -> tuple[float, ...]:
    """Choose the factors, in sum 1, for log-probabilities (class, pixel) of labelled pixels, one class at a time."""
    classes = len(logarithms)

    def score(weights: NDArray[np.float64]) -> float:
        guess = (logarithms + np.log(weights).astype(np.float32)[:, None]).argmax(axis=0).astype(np.uint8)
        return float(mean_iou(confusion(labels, guess, classes)))

    weights = np.ones(classes)
    for _ in range(_SWEEPS):
        for label in range(classes):
            tried = [np.where(np.arange(classes) == label, factor, 1.0) * weights for factor in _FACTORS]
            weights = max(tried, key=score)
    return tuple(float(weight) for weight in weights / weights.sum())
