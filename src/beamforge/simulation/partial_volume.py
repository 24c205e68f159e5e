"""Which classes a pixel near an edge sees, and how much of each, through the instrument's point spread function."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from beamforge.arrays import Float32, Float64, Integers
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
    pixels = np.argwhere(_near_edges(classes, reach)).astype(np.int32)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(classes, reach, mode="edge")
    starts, parts, weights = _parts(padded, pixels, taps / taps.sum(), int(classes.max()) + 1)
    return SharedPixels(pixels, starts, parts, weights)


@compiled
def _near_edges(classes: NDArray[np.uint8], reach: int) -> NDArray[np.bool_]:
    """Mark pixels whose square surroundings hold more than one class."""
    height, width = classes.shape
    across = np.zeros(classes.shape, np.bool_)
    for y in range(height):
        for x in range(1, width):
            if classes[y, x] != classes[y, x - 1]:
                across[y, max(x - reach, 0) : x + reach] = True
    # A column differs inside the surroundings if two of its neighbours do, at any of the columns of the square.
    near = np.zeros(classes.shape, np.bool_)
    for y in range(height):
        for x in range(width):
            if across[y, x]:
                near[max(y - reach, 0) : y + reach + 1, x] = True
    for y in range(1, height):
        for x in range(width):
            if classes[y, x] != classes[y - 1, x]:
                near[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach + 1] = True
    return near


@compiled
def _parts(
    padded: NDArray[np.uint8], pixels: NDArray[np.int32], taps: Float64, count: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], Float32]:
    """Sum the point spread function over each class around each pixel."""
    side = taps.size
    upto = np.zeros(side + 1, np.float64)
    upto[1:] = np.cumsum(taps)
    starts = np.zeros(pixels.shape[0] + 1, np.int32)
    parts = np.empty(4 * pixels.shape[0] + count, np.uint8)
    weights = np.empty(parts.size, np.float32)
    sums = np.zeros(count, np.float64)
    used = 0
    for i in range(pixels.shape[0]):
        sums[:] = 0.0
        for dy in range(side):
            row = padded[pixels[i, 0] + dy, pixels[i, 1] : pixels[i, 1] + side]
            begin = 0
            for dx in range(1, side):
                if row[dx] != row[begin]:
                    sums[row[begin]] += taps[dy] * (upto[dx] - upto[begin])
                    begin = dx
            sums[row[begin]] += taps[dy] * (upto[side] - upto[begin])
        if used + count > parts.size:
            parts = np.append(parts, np.empty(parts.size, np.uint8))
            weights = np.append(weights, np.empty(weights.size, np.float32))
        for label in range(count):
            if sums[label] > 0.0:
                parts[used] = label
                weights[used] = sums[label]
                used += 1
        starts[i + 1] = used
    return starts, parts[:used], weights[:used]
