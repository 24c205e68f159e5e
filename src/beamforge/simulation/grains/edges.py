"""Curved grain boundaries and the pixels they pass."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import label

from beamforge.arrays import Float32, Float64
from beamforge.statistics.compiled import compiled

_SPANS = 8
"""Pieces of each spline; its control points are the ends and one between each two pieces."""
_SAMPLES = 33
"""Points at which a spline is evaluated; straight lines join them."""
_LONGEST_STRIDE = 8
"""One line may take the place of this many."""
_SAGITTA = 0.1
"""As long as it stays this near, in px, to the points it leaves out."""
_BARRIER = 0.5
"""A line is this near, in px, to at least one of any two neighbouring pixels that it passes between."""
_LEAST_GRAIN = 9
"""Grains of fewer px are where two curves cross, and are given to their neighbours."""


def curved(starts: Float64, ends: Float64, waviness: float, smoothness: float, rng: Generator) -> Float32:
    """Bend straight edges into cubic splines whose control points are displaced at right angles.

    Parameters
    ----------
    starts, ends
        (edge, 2).
    waviness
        Standard deviation of the displacement in the middle of an edge, relative to the edge's length.
    smoothness
        How fast short waves fade: the k-th of the waves that fit between the ends has an amplitude of k^−smoothness.
    rng
        Random stream.

    Returns
    -------
    (edge, point, 2) points along each edge, the first and last at its ends.
    """
    place = np.linspace(0.0, 1.0, _SPANS + 1)
    wave = np.arange(1, _SPANS)
    modes = np.sin(np.pi * place[:, None] * wave) * wave ** (-smoothness)
    modes /= np.sqrt((modes[_SPANS // 2] ** 2).sum())
    along = ends - starts
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    shift = waviness * rng.standard_normal((len(starts), _SPANS - 1)) @ modes.T
    control = starts[:, None] + place[:, None] * along[:, None] + shift[:, :, None] * across[:, None]
    points: Float32 = np.matmul(_spline_basis(), control.astype(np.float32))
    return points


@cache
def _spline_basis() -> Float32:
    """Give what each control point contributes to each point (point, control) of a natural cubic spline."""
    spline = CubicSpline(np.linspace(0.0, 1.0, _SPANS + 1), np.eye(_SPANS + 1), bc_type="natural")
    return np.asarray(spline(np.linspace(0.0, 1.0, _SAMPLES)), np.float32)


def near(starts: Float64, ends: Float64, side: int) -> NDArray[np.bool_]:
    """Say of straight edges (edge, 2) whether they may come near a square image once they are bent."""
    length = np.linalg.norm(ends - starts, axis=1)[:, None]
    low, high = np.minimum(starts, ends) - length, np.maximum(starts, ends) + length
    seen: NDArray[np.bool_] = ((low < side) & (high > 0.0)).all(axis=1)
    return seen


def distance_to(curves: Float32, shape: tuple[int, int], reach: float) -> Float32:
    """Give each pixel's distance (y, x) to the nearest curve in px, at most `reach`."""
    squared = np.full(shape, reach * reach, np.float32)
    near = (curves.min(axis=1) < np.array(shape) + reach).all(axis=1) & (curves.max(axis=1) > -reach).all(axis=1)
    _lower_to_curves(curves[near], reach, squared)
    return np.sqrt(squared)


def grain_numbers(distance: Float32) -> NDArray[np.int32]:
    """Number the grains that lines at distance 0 part, from 0 on; pixels on a line go to a grain beside it."""
    numbers: NDArray[np.int32]
    numbers, count = label(distance > _BARRIER)
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    kept = sizes >= _LEAST_GRAIN
    kept[0] = False
    if not kept.any():
        return np.zeros(distance.shape, np.int32)
    renumbered = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    numbers = renumbered[numbers]
    while _fill_from_neighbours(numbers):
        pass
    return numbers - np.int32(1)


@compiled
def _lower_to_curves(curves: Float32, reach: float, squared: Float32) -> None:
    rows, columns = squared.shape
    last = curves.shape[1] - 1
    for edge in range(curves.shape[0]):
        point = 0
        while point < last:
            stride = _stride(curves[edge], point, last)
            y0, x0 = curves[edge, point, 0], curves[edge, point, 1]
            y1, x1 = curves[edge, point + stride, 0], curves[edge, point + stride, 1]
            point += stride
            top, bottom = max(int(min(y0, y1) - reach), 0), min(int(max(y0, y1) + reach) + 2, rows)
            left, right = max(int(min(x0, x1) - reach), 0), min(int(max(x0, x1) + reach) + 2, columns)
            if top >= bottom or left >= right:
                continue
            down, across = y1 - y0, x1 - x0
            length = down * down + across * across
            over = np.float32(1.0) / length if length > 0.0 else np.float32(0.0)
            for row in range(top, bottom):
                dy = np.float32(row) - y0
                for column in range(left, right):
                    dx = np.float32(column) - x0
                    t = min(max((dy * down + dx * across) * over, np.float32(0.0)), np.float32(1.0))
                    from_y, from_x = dy - t * down, dx - t * across
                    distance = from_y * from_y + from_x * from_x
                    if distance < squared[row, column]:
                        squared[row, column] = distance


@compiled
def _stride(points: Float32, first: int, last: int) -> int:
    """Say how many points on a straight line may go."""
    stride = min(_LONGEST_STRIDE, last - first)
    while stride > 1:
        down, across = points[first + stride, 0] - points[first, 0], points[first + stride, 1] - points[first, 1]
        length = np.sqrt(down * down + across * across)
        off = np.float32(0.0)
        for point in range(first + 1, first + stride):
            dy, dx = points[point, 0] - points[first, 0], points[point, 1] - points[first, 1]
            off = max(off, abs(dy * across - dx * down))
        if off <= _SAGITTA * length:
            break
        stride //= 2
    return stride


@compiled
def _fill_from_neighbours(numbers: NDArray[np.int32]) -> bool:
    """Give pixels of number 0 that of a neighbour which had one before; say whether any is left that can get one."""
    rows, columns = numbers.shape
    before = numbers.copy()
    left = False
    for row in range(rows):
        for column in range(columns):
            if before[row, column] != 0:
                continue
            if row > 0 and before[row - 1, column] != 0:
                numbers[row, column] = before[row - 1, column]
            elif column > 0 and before[row, column - 1] != 0:
                numbers[row, column] = before[row, column - 1]
            elif row + 1 < rows and before[row + 1, column] != 0:
                numbers[row, column] = before[row + 1, column]
            elif column + 1 < columns and before[row, column + 1] != 0:
                numbers[row, column] = before[row, column + 1]
            else:
                left = True
    return left
