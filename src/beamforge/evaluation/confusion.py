"""Confusion matrices: the counts every overlap score is computed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamforge.errors import InputError
from beamforge.stack import IGNORE

Counts = NDArray[np.int64]
"""Confusion matrices (class of the truth, predicted class), or one for each tile (tile, class, class)."""


def confusion(truth: ArrayLike, prediction: ArrayLike, classes: int, *, valid: ArrayLike | None = None) -> Counts:
    """Count how often each true class was given each predicted class.

    Parameters
    ----------
    truth
        Class numbers of any shape; 255 (ignore) counts nowhere.
    prediction
        Predicted class numbers, same shape.
    classes
        How many classes there are.
    valid
        Booleans, same shape; pixels that are not valid count nowhere, such as those whose intensity is not finite.

    Returns
    -------
    int64 (class, class), rows are the truth.

    Raises
    ------
    InputError
        If the shapes differ or a counted pixel holds a number that is no class.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    groups = np.zeros(truth.shape, dtype=np.int64)
    counts: Counts = _grouped(truth, prediction, classes, groups, 1, valid)[0]
    return counts


def tile_confusions(
    truth: ArrayLike, prediction: ArrayLike, classes: int, tile: int, *, valid: ArrayLike | None = None
) -> Counts:
    """Count in each tile of a regular grid over an image.

    Tiles at the lower and right border are cut by the image; tiles without a pixel to count are left out.

    Parameters
    ----------
    truth, prediction, valid
        As for `confusion`, shape (y, x).
    classes
        How many classes there are.
    tile
        Side of a tile in px.

    Returns
    -------
    int64 (tile, class, class), row by row over the grid.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.ndim != 2:
        raise InputError(f"the labels have shape {truth.shape}, expected (y, x)")
    rows, columns = (-(-side // tile) for side in truth.shape)
    row, column = np.arange(truth.shape[0]) // tile, np.arange(truth.shape[1]) // tile
    groups = row[:, None] * columns + column[None, :]
    counts = _grouped(truth, prediction, classes, groups, rows * columns, valid)
    return counts[counts.any(axis=(1, 2))]


def _grouped(
    truth: NDArray[np.generic],
    prediction: NDArray[np.generic],
    classes: int,
    groups: NDArray[np.int64],
    group_count: int,
    valid: ArrayLike | None,
) -> Counts:
    """Count (group, truth, prediction) in one pass over the pixels."""
    if truth.shape != prediction.shape:
        raise InputError(f"the truth has shape {truth.shape} but the prediction has {prediction.shape}")
    counted = truth != IGNORE
    if valid is not None:
        counted &= np.asarray(valid, dtype=bool)
    true = _class_numbers(truth[counted], classes, "truth")
    predicted = _class_numbers(prediction[counted], classes, "prediction")
    cells = (groups[counted] * classes + true) * classes + predicted
    return np.bincount(cells, minlength=group_count * classes**2).reshape(group_count, classes, classes)


def _class_numbers(values: NDArray[np.generic], classes: int, what: str) -> NDArray[np.int64]:
    if values.dtype.kind not in "uib":
        raise InputError(f"the {what} holds {values.dtype} values, expected whole class numbers")
    numbers = values.astype(np.int64)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
        wrong = np.unique(numbers[(numbers < 0) | (numbers >= classes)])
        raise InputError(f"the {what} holds the class numbers {wrong[:8].tolist()}, expected 0..{classes - 1}")
    return numbers
