"""Which classes a pixel near an edge sees, and how much of each, through the instrument's point spread function."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from beamforge.arrays import Float32, Integers
from beamforge.stack import IGNORE
from beamforge.statistics.compiled import compiled

_REACH = 3.0


class SharedPixels(NamedTuple):
    """Pixels that more than one class shares, row by row.

    Attributes
    ----------
    pixels
        (n, 2) rows and columns.
    starts
        (n + 1,) where the classes of each pixel begin in `classes` and `weights`.
    classes, weights
        Class numbers, and their parts of the pixel, which add up to 1.
    """

    pixels: NDArray[np.int32]
    starts: NDArray[np.int32]
    classes: NDArray[np.uint8]
    weights: Float32


def without_holes(labels: Integers) -> NDArray[np.uint8]:
    """Give every ignored pixel the class of the nearest labelled one; class 0 where nothing is labelled."""
    ignored = labels == IGNORE
    if not ignored.any():
        return labels.astype(np.uint8)
    if ignored.all():
        return np.zeros(labels.shape, np.uint8)
    nearest = ndimage.distance_transform_edt(ignored, return_distances=False, return_indices=True)
    return np.asarray(labels[tuple(nearest)], np.uint8)


def shared_pixels(classes: NDArray[np.uint8], sigma: float) -> SharedPixels:
    """Find the pixels near edges and the parts of the classes in them.

    Parameters
    ----------
    classes
        (y, x) class numbers.
    sigma
        Standard deviation in px of a Gaussian point spread function, cut off at three times that.
    """
    reach = int(np.ceil(_REACH * sigma))
    size = 2 * reach + 1
    mixed = ndimage.maximum_filter(classes, size, mode="nearest") != ndimage.minimum_filter(
        classes, size, mode="nearest"
    )
    pixels = np.argwhere(mixed).astype(np.int32)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    padded = np.pad(classes, reach, mode="edge")
    starts, parts, weights = _parts(padded, pixels, taps / taps.sum(), int(classes.max()) + 1)
    return SharedPixels(pixels, starts, parts, weights)


@compiled
def _parts(
    padded: NDArray[np.uint8], pixels: NDArray[np.int32], taps: Float32, count: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], Float32]:
    starts = np.zeros(pixels.shape[0] + 1, np.int32)
    parts = np.empty(pixels.shape[0] * min(count, 4), np.uint8)
    weights = np.empty(parts.size, np.float32)
    sums = np.zeros(count, np.float32)
    used = 0
    for i in range(pixels.shape[0]):
        sums[:] = 0
        for dy in range(taps.size):
            for dx in range(taps.size):
                sums[padded[pixels[i, 0] + dy, pixels[i, 1] + dx]] += taps[dy] * taps[dx]
        if used + count > parts.size:
            parts = np.append(parts, np.empty(parts.size + count, np.uint8))
            weights = np.append(weights, np.empty(weights.size + count, np.float32))
        total = np.float32(0.0)
        for label in range(count):
            total += sums[label]
        for label in range(count):
            if sums[label] > 0:
                parts[used] = label
                weights[used] = sums[label] / total
                used += 1
        starts[i + 1] = used
    return starts, parts[:used], weights[:used]
