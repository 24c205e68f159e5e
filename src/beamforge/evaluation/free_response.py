"""Recall against false detections for each image, as the settings of a detector change: the free-response curve.

Two detectors are compared where they give as many false detections as each other, and not where either happens to be
tuned to. Source: the FROC of Bunch et al. 1978, as Chakraborty & Winter 1990 (doi:10.1148/radiology.174.3.2305073)
draw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap, resampled_weights


@dataclass(frozen=True)
class FreeResponse:
    """What several settings of one detector find in the same images.

    Attributes
    ----------
    found
        True objects found (setting, image).
    there
        True objects (image,).
    false
        False detections (setting, image).

    Raises
    ------
    InputError
        If the shapes do not agree, there is nothing to find, or more is found than there is.
    """

    found: Float64
    there: Float64
    false: Float64

    def __post_init__(self) -> None:
        if self.found.ndim != 2 or self.found.shape != self.false.shape or self.there.shape != self.found.shape[1:]:
            raise InputError(
                f"found {self.found.shape}, there {self.there.shape}, false {self.false.shape}: expected "
                "(setting, image), (image,) and (setting, image)"
            )
        if not len(self.found) or not self.there.sum() > 0 or (self.found > self.there).any():
            raise InputError("a curve needs a setting, something to find, and no more found in an image than there is")

    def points(self, weights: ArrayLike | None = None) -> tuple[Float64, Float64]:
        """Give false detections for each image and recall of each setting.

        Parameters
        ----------
        weights
            How often each image counts (resample, image); by default once.

        Returns
        -------
        false, recall
            (resample, setting), one row without weights.
        """
        counted = np.ones((1, len(self.there))) if weights is None else np.asarray(weights, np.float64)
        there = counted @ self.there
        with np.errstate(invalid="ignore"):
            recall = (counted @ self.found.T) / there[:, None]
        return counted @ self.false.T / counted.sum(axis=1, keepdims=True), recall

    def recall_at(self, levels: Sequence[float], weights: ArrayLike | None = None) -> Float64:
        """Give the recall at equal numbers of false detections.

        The curve rises from nothing found without a false detection through the settings: at each number of false
        detections it is the best recall of those that give no more, and between two settings it is a line, on which
        lies who uses either on a part of the images. Beyond the last setting it stays level.

        Parameters
        ----------
        levels
            False detections for each image (level,).
        weights
            See `points`.

        Returns
        -------
        (resample, level); NaN where nothing that can be found was drawn.
        """
        rows = zip(*self.points(weights), strict=True)
        return np.array([_interpolated(np.asarray(levels, np.float64), *row) for row in rows])


def _interpolated(levels: Float64, false: Float64, recall: Float64) -> Float64:
    order = np.lexsort((recall, false))
    x = np.concatenate([[0.0], false[order]])
    y = np.maximum.accumulate(np.concatenate([[0.0], recall[order]]))
    # Of settings with as many false detections the last, best one begins the line to the next.
    last = np.append(x[1:] > x[:-1], True)
    return np.asarray(np.interp(levels, x[last], y[last]))


def group_weights(groups: Sequence[object] | NDArray[np.generic], bootstrap: Bootstrap) -> Float64:
    """Draw groups of images with replacement, such as the projections of one sample, which are alike.

    Parameters
    ----------
    groups
        Which group each image is of (image,).
    bootstrap
        Resamples and seed.

    Returns
    -------
    How often each image counts (resample, image).
    """
    kinds, members = np.unique(np.asarray(groups), return_inverse=True)
    drawn = np.concatenate(list(resampled_weights(len(kinds), bootstrap.resamples, bootstrap.rng)))
    return np.asarray(drawn[:, members])
