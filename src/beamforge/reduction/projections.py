"""Diffraction projections before anything is looked for: the rolling median and the contrast above it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled

WINDOW = 11
"""Projections of the rolling median (Fang et al. 2022)."""
CHANNEL = "diffraction contrast"
"""Mode of the channel that `contrast` makes."""
_TO_DEVIATION = np.float32(1.4826)
"""Standard deviation of a normal distribution over its median absolute deviation."""
_BLOCK = 32  # px
_LARGEST = np.float32(30.0)


def rolling_median(stack: xr.DataArray, window: int = WINDOW) -> Iterator[tuple[Float32, Float32]]:
    """Give every projection of a stack with the median of the `window` projections around it.

    The sample turns, so spots move and what stays is background. At both ends of the stack the window is moved inside.
    Memory holds a window and not the stack.

    Parameters
    ----------
    stack
        Projections (channel, y, x) in the order of their rotation angles; it may be lazy.
    window
        Number of projections, odd.

    Yields
    ------
    projection, background
        float32 (y, x), in the stack's units.

    Raises
    ------
    InputError
        If the stack is too short, or a projection is zero everywhere or not finite.
    """
    count = _checked(stack, window)
    held: deque[Float32] = deque(maxlen=window)
    read, start = 0, -1
    for number in range(count):
        first = min(max(number - window // 2, 0), count - window)
        while read < first + window:
            held.append(_projection(stack, read))
            read += 1
        if first != start:
            # Ends share a window, and so its median.
            background = _median_over(np.stack(held))
            start = first
        yield held[number - first], background


def _checked(stack: xr.DataArray, window: int) -> int:
    if window < 3 or window % 2 == 0:
        raise InputError(f"the rolling median is over {window} projections, expected an odd number of 3 or more")
    if stack.dims != ("channel", "y", "x") or stack.dtype.kind not in "uif":
        raise InputError(f"projections are a stack (channel, y, x) of numbers, not {stack.dtype} {stack.dims}")
    count = int(stack.sizes["channel"])
    if count < window:
        raise InputError(
            f"the stack has {count} projections, too few for a rolling median over {window}; give more projections or "
            "a smaller odd window"
        )
    return count


def _projection(stack: xr.DataArray, number: int) -> Float32:
    image = np.asarray(stack.variable[number].values).astype(np.float32)
    if not np.isfinite(image).all():
        raise InputError(f"projection {number} holds values that are not finite; mend or leave out this projection")
    if not image.any():
        raise InputError(f"projection {number} is zero everywhere: an empty exposure; leave it out of the stack")
    return image


@compiled
def _median_over(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the median over an odd number of images (image, y, x), by sorting a few values for each pixel."""
    count, height, width = images.shape
    median = np.empty((height, width), np.float32)
    values = np.empty(count, np.float32)
    for y in range(height):
        for x in range(width):
            for n in range(count):
                value = images[n, y, x]
                place = n
                while place > 0 and values[place - 1] > value:
                    values[place] = values[place - 1]
                    place -= 1
                values[place] = value
            median[y, x] = values[count // 2]
    return median


def noise_of(difference: Float32) -> Float32:
    """Give the standard deviation of the noise of a projection minus its background, for each pixel.

    1.4826 times the median of the absolute difference in blocks of about 32 px, between whose centres it is
    interpolated. Spots cover too little of a block to matter. Behind a beam stop, where counts hardly vary, it is at
    least a tenth of the median over the blocks.

    Parameters
    ----------
    difference
        float32 (y, x).

    Raises
    ------
    InputError
        If the image has no noise.
    """
    height, width = difference.shape
    rows, columns = max(1, round(height / _BLOCK)), max(1, round(width / _BLOCK))
    y_edges = np.linspace(0, height, rows + 1).astype(int)
    x_edges = np.linspace(0, width, columns + 1).astype(int)
    absolute = np.abs(difference)
    blocks = np.array(
        [[np.median(absolute[y0:y1, x0:x1]) for x0, x1 in pairwise(x_edges)] for y0, y1 in pairwise(y_edges)],
        np.float32,
    )
    typical = float(np.median(blocks))
    if not typical > 0.0:
        raise InputError("the projection equals its background in most places: it has no noise to judge by")
    blocks = np.maximum(blocks, 0.1 * typical) * _TO_DEVIATION
    y_centres, x_centres = (0.5 * (edges[:-1] + edges[1:] - 1) for edges in (y_edges, x_edges))
    along_x = np.array([np.interp(np.arange(width), x_centres, row) for row in blocks])
    low, share = _between(y_centres, height)
    high = np.minimum(low + 1, rows - 1)
    result: Float32 = (along_x[low] * (1.0 - share) + along_x[high] * share).astype(np.float32)
    return result


def _between(centres: NDArray[np.float64], length: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give of every place the centre below it and the share of the way to the next, (length,) and (length, 1)."""
    position = np.interp(np.arange(length), centres, np.arange(len(centres)))
    low = np.floor(position).astype(np.int64)
    return low, (position - low)[:, None]


def contrast(difference: Float32, noise: Float32 | None = None) -> Float32:
    """Give a projection minus its background in standard deviations of its noise, cut at ±30.

    It knows neither gain nor exposure, so a network trained on it meets the same numbers on any detector.

    Parameters
    ----------
    difference
        float32 (y, x).
    noise
        Standard deviation (y, x); by default `noise_of` the difference.
    """
    level = noise_of(difference) if noise is None else noise
    result: Float32 = np.clip(difference / level, -_LARGEST, _LARGEST).astype(np.float32)
    return result
