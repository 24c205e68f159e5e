"""Scores of thin, connected things such as roots and cracks: what counts is their course, not their width.

All functions take masks (y, x) or (z, y, x) and are pure. A skeleton is that of
`skimage.morphology.skeletonize`: one pixel wide, connected as the mask is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from beamforge.errors import InputError

Mask = NDArray[np.bool_]


def skeleton(mask: NDArray[np.generic]) -> Mask:
    """Thin a mask to its centre lines."""
    from skimage.morphology import skeletonize

    thin: Mask = skeletonize(np.asarray(mask, dtype=bool)).astype(bool)
    return thin


def skeleton_recall(predicted: Mask, truth: Mask) -> float:
    """Give the share of the truth's skeleton that the prediction covers; NaN if the truth is empty.

    Source: Shit et al. 2021, Tsens.
    """
    return _share(skeleton(truth), _checked(predicted, truth))


def skeleton_precision(predicted: Mask, truth: Mask) -> float:
    """Give the share of the prediction's skeleton that lies in the truth; NaN if the prediction is empty.

    Source: Shit et al. 2021, Tprec.
    """
    _checked(predicted, truth)
    return _share(skeleton(predicted), np.asarray(truth, dtype=bool))


def cl_dice(predicted: Mask, truth: Mask) -> float:
    """Give the harmonic mean of skeleton precision and recall.

    It is 1 if each skeleton lies within the other mask, 0 if neither meets the other, also if the prediction is empty,
    and NaN if the truth is empty.

    Source: Shit et al. 2021, Eq. 2.
    """
    precision, recall = skeleton_precision(predicted, truth), skeleton_recall(predicted, truth)
    if math.isnan(recall):
        return math.nan
    if math.isnan(precision) or precision + recall == 0.0:
        return 0.0
    return 2.0 * precision * recall / (precision + recall)


def skeleton_length(mask: Mask) -> float:
    """Give the length of a mask's skeleton in px.

    Neighbouring pixels of the skeleton are joined by steps of 1, √2 or √3 px. A step is left out where one of its
    corners is cut by shorter ones, so that a bend is not counted twice. Ends lie in pixel centres: a line of n pixels
    is n - 1 px long.
    """
    thin = skeleton(mask)
    length = 0.0
    for offset in _half_of_the_neighbours(thin.ndim):
        both = _moved(thin, offset) & thin
        axes = [axis for axis, step in enumerate(offset) if step]
        if len(axes) > 1:
            for axis in axes:
                single = tuple(step if number == axis else 0 for number, step in enumerate(offset))
                rest = tuple(0 if number == axis else step for number, step in enumerate(offset))
                both &= ~_moved(thin, single) & ~_moved(thin, rest)
        length += math.sqrt(len(axes)) * int(both.sum())
    return length


def length_error(predicted: Mask, truth: Mask) -> float:
    """Give the relative error of the skeleton's length, above 0 if too long; NaN for an empty truth."""
    _checked(predicted, truth)
    true_length = skeleton_length(truth)
    if true_length == 0.0:
        return math.nan
    return skeleton_length(predicted) / true_length - 1.0


def _checked(predicted: Mask, truth: Mask) -> Mask:
    if np.shape(predicted) != np.shape(truth):
        raise InputError(
            f"the prediction has shape {np.shape(predicted)}, the truth {np.shape(truth)}; they must agree"
        )
    return np.asarray(predicted, dtype=bool)


def _share(lines: Mask, area: Mask) -> float:
    count = int(lines.sum())
    return math.nan if count == 0 else int((lines & area).sum()) / count


def _half_of_the_neighbours(dimensions: int) -> list[tuple[int, ...]]:
    """Steps to the neighbours, one of each opposite pair."""
    steps = [tuple(int(i) - 1 for i in index) for index in np.ndindex(*(3,) * dimensions)]
    return [step for step in steps if step > (0,) * dimensions]


def _moved(mask: Mask, offset: tuple[int, ...]) -> Mask:
    """Give at each pixel what the mask holds one step further on; nothing beyond the border."""
    padded = np.pad(mask, 1)
    return padded[tuple(slice(1 + step, 1 + step + side) for step, side in zip(offset, mask.shape, strict=True))]
