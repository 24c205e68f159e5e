"""The view along the beam: how much root tissue lies behind each pixel, and which root is seen there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64
from beamforge.simulation.roots.system import RootSystem
from beamforge.statistics.compiled import compiled

_FINER = 2
"""Rays per pixel along each side: roots are often thinner than a pixel."""
_STEEPEST = 3.0
"""A segment along the beam shows at most this many diameters of tissue."""


@dataclass(frozen=True)
class View:
    """What the image shows.

    Attributes
    ----------
    left, top
        Place (x, y) of the corner of the first pixel in mm.
    pixel_size
        Side of a pixel in mm.
    shape
        (y, x) in px.
    """

    left: float
    top: float
    pixel_size: float
    shape: tuple[int, int]

    @property
    def x(self) -> Float64:
        """Places of the columns in mm."""
        places: Float64 = self.left + (np.arange(self.shape[1]) + 0.5).astype(np.float64) * self.pixel_size
        return places

    @property
    def y(self) -> Float64:
        """Places of the rows in mm."""
        places: Float64 = self.top + (np.arange(self.shape[0]) + 0.5).astype(np.float64) * self.pixel_size
        return places


def tissue_path(roots: RootSystem, view: View) -> Float32:
    """Give the length of root tissue along the beam in mm, (y, x).

    Where segments of one root overlap, the longest counts; roots that cross add up.
    """
    fine = np.zeros((view.shape[0] * _FINER, view.shape[1] * _FINER), np.float32)
    last = np.full(fine.shape, -1, np.int64)
    latest = np.zeros_like(fine)
    size = view.pixel_size / _FINER
    near = _in_view(roots, view, 0.0)
    flat = (roots.end - roots.start)[near]
    length = np.linalg.norm(flat, axis=1)
    # A segment without length is a ball, which looks the same from everywhere.
    across = np.divide(np.hypot(flat[:, 0], flat[:, 1]), length, out=np.ones(len(near)), where=length > 0.0)
    across = np.maximum(across, 1.0 / _STEEPEST)
    ends = _in_pixels(roots, near, view, size)
    _add_paths(fine, last, latest, ends, roots.radius[near] / size, 1.0 / across, roots.axis[near])
    path = fine.reshape(view.shape[0], _FINER, view.shape[1], _FINER).mean(axis=(1, 3))
    in_mm: Float32 = (path * size).astype(np.float32)
    return in_mm


def distance_outside(roots: RootSystem, view: View, reach: float) -> Float32:
    """Give the distance in px from each pixel to the nearest root's surface, negative inside, `reach` if far (y, x)."""
    found = np.full(view.shape, reach, np.float32)
    near = _in_view(roots, view, reach * view.pixel_size)
    ends = _in_pixels(roots, near, view, view.pixel_size)
    _nearest(found, ends, roots.radius[near] / view.pixel_size, reach)
    return found


def _in_view(roots: RootSystem, view: View, margin: float) -> NDArray[np.intp]:
    reach = roots.radius.max(axis=1, initial=0.0) + margin + view.pixel_size
    low, high = np.minimum(roots.start, roots.end), np.maximum(roots.start, roots.end)
    right, bottom = view.left + view.shape[1] * view.pixel_size, view.top + view.shape[0] * view.pixel_size
    across = (high[:, 0] + reach > view.left) & (low[:, 0] - reach < right)
    return np.flatnonzero(across & (high[:, 1] + reach > view.top) & (low[:, 1] - reach < bottom))


def _in_pixels(roots: RootSystem, near: NDArray[np.intp], view: View, size: float) -> Float64:
    """Give the ends of segments in px (segment, 4): x, y of the start, x, y of the end; pixel centres are whole."""
    corner = np.array([view.left, view.top])
    start, end = ((place[near, :2] - corner) / size - 0.5 for place in (roots.start, roots.end))
    return np.concatenate([start, end], axis=1)


@compiled
def _place_along(x: float, y: float, ends: Float64) -> tuple[float, float]:
    """Give the nearest place on a segment, as a share of it, and the squared distance to it."""
    across, down = ends[2] - ends[0], ends[3] - ends[1]
    square = across * across + down * down
    share = 0.0
    if square > 0.0:
        share = min(1.0, max(0.0, ((x - ends[0]) * across + (y - ends[1]) * down) / square))
    aside, below = x - ends[0] - share * across, y - ends[1] - share * down
    return share, aside * aside + below * below


@compiled
def _window(ends: Float64, reach: float, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    top = max(0, math.ceil(min(ends[1], ends[3]) - reach))
    bottom = min(shape[0], math.floor(max(ends[1], ends[3]) + reach) + 1)
    left = max(0, math.ceil(min(ends[0], ends[2]) - reach))
    right = min(shape[1], math.floor(max(ends[0], ends[2]) + reach) + 1)
    return top, bottom, left, right


@compiled
def _add_paths(
    out: Float32,
    last: NDArray[np.int64],
    latest: Float32,
    ends: Float64,
    radius: Float64,
    slant: Float64,
    axis: NDArray[np.int64],
) -> None:
    for number in range(len(ends)):
        thick = max(radius[number, 0], radius[number, 1])
        top, bottom, left, right = _window(ends[number], thick, out.shape)
        for y in range(top, bottom):
            for x in range(left, right):
                share, square = _place_along(x, y, ends[number])
                here = radius[number, 0] * (1.0 - share) + radius[number, 1] * share
                inside = here * here - square
                if inside <= 0.0:
                    continue
                chord = np.float32(2.0 * math.sqrt(inside) * slant[number])
                if last[y, x] != axis[number]:
                    last[y, x] = axis[number]
                    latest[y, x] = 0.0
                if chord > latest[y, x]:
                    out[y, x] += chord - latest[y, x]
                    latest[y, x] = chord


@compiled
def _nearest(out: Float32, ends: Float64, radius: Float64, reach: float) -> None:
    for number in range(len(ends)):
        far = max(radius[number, 0], radius[number, 1]) + reach
        top, bottom, left, right = _window(ends[number], far, out.shape)
        for y in range(top, bottom):
            for x in range(left, right):
                share, square = _place_along(x, y, ends[number])
                here = radius[number, 0] * (1.0 - share) + radius[number, 1] * share
                outside = np.float32(math.sqrt(square) - here)
                if outside < out[y, x]:
                    out[y, x] = outside
