"""Diffraction projections before anything is looked for: the rolling median and the contrast above it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import least_squares

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled

WINDOW = 11
"""Projections of the rolling median (Fang et al. 2021)."""
CHANNEL = "diffraction contrast"
"""Mode of the channel that `contrast` makes."""
_TO_DEVIATION = 1.4826
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
            background = median_over(np.stack(held))
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
        raise InputError(
            f"projection {number} (counted from 0) holds values that are not finite; mend it or leave it out"
        )
    if not image.any():
        raise InputError(
            f"projection {number} (counted from 0) is zero everywhere: an empty exposure; leave it out of the stack"
        )
    return image


@compiled
def median_over(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the median (y, x) over an odd number of images (image, y, x)."""
    count, height, width = images.shape
    median = np.empty((height, width), np.float32)
    rows = np.empty((count, width), np.float32)
    for y in range(height):
        rows[:] = images[:, y]
        # The largest values move up until the median is in its place; all pixels of a row take the same steps, so
        # that the processor does many of them at once.
        for last in range(count - 1, count // 2 - 1, -1):
            for n in range(last):
                low, high = rows[n], rows[n + 1]
                for x in range(width):
                    first, second = low[x], high[x]
                    low[x] = first if first < second else second
                    high[x] = second if first < second else first
        median[y] = rows[count // 2]
    return median


def rolling_background(stack: xr.DataArray, window: int = WINDOW) -> Iterator[tuple[Float32, Float32]]:
    """Give every projection of a stack with its background: the rolling median at this projection's exposure.

    The tube flickers, and a median is as bright as the middle one of its projections; see `at_exposure_of`.

    Parameters
    ----------
    stack, window
        See `rolling_median`.

    Yields
    ------
    projection, background
        float32 (y, x), in the stack's units.

    Raises
    ------
    InputError
        See `rolling_median`.
    """
    for projection, median in rolling_median(stack, window):
        yield projection, at_exposure_of(projection, median)


def at_exposure_of(projection: Float32, median: Float32) -> Float32:
    """Bring a median background to the exposure of one projection.

    Counts are a dark level and, on top of it, exposure times what the beam brings. Hence one projection's background is
    a line in another's, offset + factor × median, whatever the dark level is. The line is fitted to the medians of
    blocks of about 32 px, with a loss that blocks full of spots hardly count in (Cauchy's).

    Parameters
    ----------
    projection, median
        float32 (y, x) in one unit.
    """
    levels = _block_medians(median).ravel()
    # Not medians of the difference: the projection is one of the median's own, and equals it at many a pixel.
    rises = _block_medians(projection).ravel() - levels
    middle = float(np.median(levels))
    design = np.stack([np.ones_like(levels), levels - middle], axis=1)
    # Where the background is flat there is no slope to know, and the shortest solution has none.
    start = np.linalg.lstsq(design, rises, rcond=1e-9)[0]
    scale = _TO_DEVIATION * float(np.median(np.abs(rises - design @ start)))
    line = start
    if scale > 0.0:
        line = least_squares(
            lambda line: design @ line - rises, start, jac=lambda _: design, loss="cauchy", f_scale=scale, x_scale="jac"
        ).x
    result: Float32 = ((1.0 + line[1]) * median + (line[0] - line[1] * middle)).astype(np.float32)
    return result


def _block_edges(shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide an image into blocks of about 32 px; give their limits along y and x."""
    y, x = (np.linspace(0, side, max(1, round(side / _BLOCK)) + 1).astype(np.int64) for side in shape)
    return y, x


def _block_medians(image: Float32) -> Float64:
    return np.asarray(_medians_between(image, *_block_edges(image.shape)))


@compiled
def _medians_between(
    image: NDArray[np.float32], y_edges: NDArray[np.int64], x_edges: NDArray[np.int64]
) -> NDArray[np.float64]:
    medians = np.empty((len(y_edges) - 1, len(x_edges) - 1), np.float64)
    for row in range(len(y_edges) - 1):
        for column in range(len(x_edges) - 1):
            block = image[y_edges[row] : y_edges[row + 1], x_edges[column] : x_edges[column + 1]]
            medians[row, column] = np.median(block)
    return medians


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
    blocks = _block_medians(np.abs(difference))
    typical = float(np.median(blocks))
    if not typical > 0.0:
        raise InputError("the projection equals its background in most places: it has no noise to judge by")
    blocks = np.maximum(blocks, 0.1 * typical) * _TO_DEVIATION
    along_y, along_x = (
        _between(0.5 * (edges[:-1] + edges[1:] - 1), side)
        for edges, side in zip(_block_edges(difference.shape), difference.shape, strict=True)
    )
    result: Float32 = (along_y @ blocks @ along_x.T).astype(np.float32)
    return result


def _between(centres: NDArray[np.floating], length: int) -> Float64:
    """Give the weights (length, centre) by which values at centres are interpolated to every place."""
    places = np.arange(length)
    return np.stack([np.interp(places, centres, unit) for unit in np.eye(len(centres))], axis=1)


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
