"""Normal scores to grey values by tables, a few nanoseconds a value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.statistics.compiled import compiled
from beamforge.statistics.marginals import Marginals

_CELLS = 1024
_LIMIT = 6.25
_PER_SCORE = np.float32(_CELLS / (2.0 * _LIMIT))
_OFFSET = np.float32(_LIMIT)
_LAST = np.float32(_CELLS - 0.01)


def value_tables(marginals: Marginals) -> Float32:
    """Tabulate the value of every class and channel over the normal score.

    Returns
    -------
    float32 (channel, class, 1025), for scores from -6.25 to 6.25. Straight lines between the entries are within
    2·10⁻⁵ standard deviations of a smooth quantile function.
    """
    classes, channels = marginals.shape
    z = np.linspace(-_LIMIT, _LIMIT, _CELLS + 1)
    tables = np.empty((channels, classes, _CELLS + 1), np.float32)
    for label in range(classes):
        tables[:, label] = marginals.from_normal(np.broadcast_to(z, (channels, z.size)), label)
    return tables


@compiled
def fill_values(
    noise: Float32,
    drift: Float32,
    noise_weights: Float32,
    drift_weights: Float32,
    classes: NDArray[np.uint8],
    tables: Float32,
    out: Float32,
) -> None:
    """Turn scores into values.

    Parameters
    ----------
    noise, drift
        (y, x) planes; a drift of shape (0, 0) counts as 0.
    noise_weights, drift_weights
        (class,) their weights in the score.
    classes
        (y, x) class of each pixel.
    tables
        (class, 1025), of one channel.
    out
        (y, x) to fill.
    """
    with_drift = drift.size > 0
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            label = classes[y, x]
            z = noise[y, x]
            if with_drift:
                z = noise_weights[label] * z + drift_weights[label] * drift[y, x]
            place = min(max((z + _OFFSET) * _PER_SCORE, np.float32(0.0)), _LAST)
            cell = np.int32(place)
            rest = place - np.float32(cell)
            out[y, x] = tables[label, cell] + rest * (tables[label, cell + 1] - tables[label, cell])


@compiled
def blend_values(
    noise: Float32,
    drift: Float32,
    noise_weights: Float32,
    drift_weights: Float32,
    pixels: NDArray[np.int32],
    starts: NDArray[np.int32],
    parts: NDArray[np.uint8],
    weights: Float32,
    tables: Float32,
    out: Float32,
) -> None:
    """Fill pixels that several classes share with the mean of the classes' values at the same scores.

    Parameters
    ----------
    noise, drift, noise_weights, drift_weights, tables, out
        As for `fill_values`.
    pixels
        (n, 2) rows and columns of the shared pixels.
    starts
        (n + 1,) where the classes of each pixel begin in `parts` and `weights`.
    parts, weights
        Class numbers, and their parts of the pixel, which add up to 1.
    """
    with_drift = drift.size > 0
    for i in range(pixels.shape[0]):
        y, x = pixels[i, 0], pixels[i, 1]
        total = np.float32(0.0)
        for j in range(starts[i], starts[i + 1]):
            label = parts[j]
            z = noise[y, x]
            if with_drift:
                z = noise_weights[label] * z + drift_weights[label] * drift[y, x]
            place = min(max((z + _OFFSET) * _PER_SCORE, np.float32(0.0)), _LAST)
            cell = np.int32(place)
            rest = place - np.float32(cell)
            value = tables[label, cell] + rest * (tables[label, cell + 1] - tables[label, cell])
            total += weights[j] * value
        out[y, x] = total
