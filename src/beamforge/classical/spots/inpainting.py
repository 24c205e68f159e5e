"""Replacing spots by what is around them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamforge.classical.spots.detectors import Mask
from beamforge.errors import InputError

RADII = (2, 4, 8, 16)
"""Reaches in px of the neighbourhoods that are tried one after the other."""
ENOUGH = 6
"""A neighbourhood with fewer valid pixels is widened."""
_AT_ONCE = 1 << 12


def fill_spots(image: NDArray[Any], spots: Mask) -> tuple[NDArray[Any], Mask]:
    """Replace the pixels of spots by the median of the valid ones around them.

    Valid are pixels that are finite and no spot. The neighbourhood is 5×5 and is doubled as long as it has fewer than
    six valid pixels, up to 33×33.

    Parameters
    ----------
    image
        (y, x), any real type, which is kept; medians of integers are rounded.
    spots
        Mask (y, x).

    Returns
    -------
    filled
        A new image; all other pixels are untouched.
    left
        Mask of the spots' pixels that have no valid pixel around them and were left as they are.

    Raises
    ------
    InputError
        If the sizes differ.
    """
    if image.shape != spots.shape:
        raise InputError(f"the image is {image.shape} but the mask of its spots {spots.shape} (y, x)")
    values = np.pad(
        np.where(spots | ~np.isfinite(image), np.nan, image.astype(np.float64)), RADII[-1], constant_values=np.nan
    )
    filled, left = image.copy(), spots.copy()
    for radius in RADII:
        enough = 1 if radius == RADII[-1] else ENOUGH
        rows, columns = np.nonzero(left)
        for start in range(0, len(rows), _AT_ONCE):
            here = (rows[start : start + _AT_ONCE], columns[start : start + _AT_ONCE])
            medians, counts = _medians(values, here, radius)
            done = counts >= enough
            places = (here[0][done], here[1][done])
            medians = medians[done]
            filled[places] = np.rint(medians) if image.dtype.kind in "ui" else medians
            left[places] = False
    return filled, left


def _medians(
    values: NDArray[np.float64], places: tuple[NDArray[np.intp], NDArray[np.intp]], radius: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Take the medians around places of the image in `values`, which is padded by the largest radius."""
    reach = np.arange(-radius, radius + 1) + RADII[-1]
    around = values[places[0][:, None, None] + reach[:, None], places[1][:, None, None] + reach]
    around = around.reshape(len(around), -1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanmedian(around, axis=1), np.isfinite(around).sum(axis=1)
