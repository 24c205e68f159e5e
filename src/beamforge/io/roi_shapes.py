"""Which pixels an ImageJ ROI holds: those whose centre lies inside it.

ImageJ puts the corners of pixels on whole numbers, so the centre of the pixel in column 3 is at x = 3.5. The scan line
rule here is even-odd and half-open like ImageJ's: ROIs that share an edge share no pixel and leave none between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Box = tuple[slice, slice]


@dataclass(frozen=True)
class Polygons:
    """Closed outlines, each (n, 2) of x, y; a point is inside if it is inside an odd number of them."""

    outlines: tuple[Points, ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        points = np.concatenate(self.outlines)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def mask(self, rows: range, columns: range) -> NDArray[np.bool_]:
        """Say for the pixels of a window whether they are inside."""
        return fill_even_odd(self.outlines, rows, columns)


@dataclass(frozen=True)
class RoundedBox:
    """A rectangle, an oval, or what lies between: corners are quarters of an ellipse with half axes rx, ry."""

    left: float
    top: float
    width: float
    height: float
    rx: float = 0.0
    ry: float = 0.0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    def mask(self, rows: range, columns: range) -> NDArray[np.bool_]:
        """Say for the pixels of a window whether they are inside."""
        x, y = _centres(columns), _centres(rows)
        left, top, right, bottom = self.bounds
        inside = ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]
        if not (self.rx and self.ry):
            return inside
        along = np.maximum(np.abs(x - (left + right) / 2) - (self.width / 2 - self.rx), 0.0) / self.rx
        down = np.maximum(np.abs(y - (top + bottom) / 2) - (self.height / 2 - self.ry), 0.0) / self.ry
        return inside & (down[:, None] ** 2 + along[None] ** 2 <= 1.0)


Shape = Polygons | RoundedBox


def _centres(pixels: range) -> NDArray[np.float64]:
    return np.arange(pixels.start, pixels.stop, dtype=np.float64) + 0.5


def window_of(shape: Shape, size: tuple[int, int]) -> tuple[range, range]:
    """Give the rows and columns of an image that a shape may touch; empty if it lies outside."""
    left, top, right, bottom = shape.bounds
    ranges = []
    for low, high, side in ((top, bottom, size[0]), (left, right, size[1])):
        first = int(np.clip(np.floor(low), 0, side))
        ranges.append(range(first, max(first, int(np.clip(np.ceil(high), 0, side)))))
    return ranges[0], ranges[1]


def fill_even_odd(outlines: Sequence[Points], rows: range, columns: range) -> NDArray[np.bool_]:
    """Fill outlines by scan lines through the centres of the pixels.

    Parameters
    ----------
    outlines
        Each (n, 2) of x, y; closed by itself.
    rows, columns
        The window.

    Returns
    -------
    inside
        (row, column).
    """
    height, width = len(rows), len(columns)
    toggles = np.zeros((height, width + 1), dtype=np.uint32)
    centres = _centres(rows)
    for outline in outlines:
        for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
            low, high = min(y0, y1), max(y0, y1)
            first, last = np.searchsorted(centres, (low, high), side="left")
            if first == last:
                continue
            crossing = x0 + (centres[first:last] - y0) * ((x1 - x0) / (y1 - y0))
            column = np.clip(np.ceil(crossing - 0.5) - columns.start, 0, width).astype(np.intp)
            toggles[np.arange(first, last), column] += 1
    inside: NDArray[np.bool_] = np.cumsum(toggles, axis=1)[:, :width] % 2 == 1
    return inside
