"""Weights of classes from how often they occur in the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Integers
from beamforge.stack import IGNORE

Weighting = Literal["equal", "inverse", "inverse_root"]


def class_counts(labels: Iterable[NDArray[np.integer]], classes: int) -> Integers:
    """Count the pixels of each class (class,) in label images, ignored ones left out."""
    counts = np.zeros(classes, np.int64)
    for image in labels:
        counts += np.bincount(image[image != IGNORE].ravel(), minlength=classes)
    return counts


def weights_from_counts(counts: Integers, weighting: Weighting) -> tuple[float, ...] | None:
    """Turn counts into weights whose mean over the pixels is 1.

    Parameters
    ----------
    counts
        Pixels of each class.
    weighting
        ``"inverse"``: every class has the same weight in sum; ``"inverse_root"``: as the root of that, for classes so
        rare that the full weight would rest on a few pixels; ``"equal"``: none.

    Returns
    -------
    A weight for each class, or None for ``"equal"``. A class without a pixel gets the largest weight of the others.
    """
    if weighting == "equal":
        return None
    met = counts > 0
    if not met.any():
        return (1.0,) * len(counts)
    shares = counts[met] / counts.sum()
    weights = shares ** (-1.0 if weighting == "inverse" else -0.5)
    weights /= (weights * shares).sum()
    filled = np.full(len(counts), weights.max())
    filled[met] = weights
    return tuple(float(weight) for weight in filled)
