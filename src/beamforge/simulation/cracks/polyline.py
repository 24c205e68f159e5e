"""Cracks as polylines, and the distance of every pixel from them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d

from beamforge.arrays import Float32, Float64
from beamforge.statistics.compiled import compiled

_PIECE = 2.0
"""Length in px of the pieces a rough path is made of."""
_ROUND = 3.0
"""Over how many px joints are rounded, and ..."""
_STRAY = 3.0
"""... over how many px the path strays: standard deviations of Gaussians."""

FAR = 1e4
"""Distance in px that stands for no crack anywhere near."""


class Polyline(NamedTuple):
    """One crack.

    Attributes
    ----------
    joints
        (joint, 2) rows and columns in px.
    openings
        (joint,) width of the crack in px at each joint.
    """

    joints: Float64
    openings: Float64


def walk(lengths: Float64, headings: Float64) -> Float64:
    """Lay segments end to end.

    Parameters
    ----------
    lengths
        (segment,) in px.
    headings
        (segment,) angle in rad of each against the downward axis of the image.

    Returns
    -------
    (segment + 1, 2) rows and columns in px; the first joint is at the origin.
    """
    steps = lengths[:, None] * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def along(joints: Float64, fraction: float) -> Float64:
    """Give the place (2,) at a fraction of the polyline's length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(joints, axis=0).T))])
    return np.array([np.interp(fraction * lengths[-1], lengths, joints[:, axis]) for axis in (0, 1)])


def roughened(crack: Polyline, deviation: float, rng: Generator) -> Polyline:
    """Round the joints of a crack and let its path stray.

    Parameters
    ----------
    crack
        The crack.
    deviation
        Standard deviation in px, along each axis, by which the path strays.
    rng
        Random stream.
    """
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(crack.joints, axis=0).T))])
    count = max(2, 1 + round(lengths[-1] / _PIECE))
    places = np.linspace(0.0, lengths[-1], count)
    joints = np.stack([np.interp(places, lengths, crack.joints[:, axis]) for axis in (0, 1)], axis=1)
    joints = gaussian_filter1d(joints, _ROUND / _PIECE, axis=0, mode="nearest")
    stray = gaussian_filter1d(rng.standard_normal((count, 2)), _STRAY / _PIECE, axis=0)
    # Smoothing by sigma leaves the variance 1 / (2 sqrt(pi) sigma).
    joints += deviation * math.sqrt(2.0 * math.sqrt(math.pi) * _STRAY / _PIECE) * stray
    return Polyline(joints, np.interp(places, lengths, crack.openings))


def distance_and_opening(cracks: list[Polyline], shape: tuple[int, int], reach: float) -> tuple[Float32, Float32]:
    """Give the distance of each pixel from the nearest crack's axis, and the opening of the crack there.

    Nearest is the crack whose side is nearest. Beyond `reach` of a side, distances are `FAR` and openings 1.

    Parameters
    ----------
    cracks
        The cracks.
    shape
        (y, x) of the image.
    reach
        How far from the sides of a crack distances matter, in px.

    Returns
    -------
    distance, opening
        float32 (y, x) in px.
    """
    distance = np.full(shape, FAR, np.float32)
    opening = np.ones(shape, np.float32)
    nearest = np.full(shape, reach, np.float32)
    for crack in cracks:
        _approach(distance, opening, nearest, crack.joints, crack.openings, reach)
    return distance, opening


@compiled
def _approach(
    distance: Float32, opening: Float32, nearest: Float32, joints: Float64, openings: Float64, reach: float
) -> None:
    """Write distance and opening of one polyline wherever its side is nearer than what stands."""
    rows, columns = distance.shape
    for i in range(joints.shape[0] - 1):
        y0, x0, y1, x1 = joints[i, 0], joints[i, 1], joints[i + 1, 0], joints[i + 1, 1]
        margin = reach + 0.5 * max(openings[i], openings[i + 1])
        dy, dx = y1 - y0, x1 - x0
        squared = dy * dy + dx * dx
        for y in range(max(0, math.floor(min(y0, y1) - margin)), min(rows, math.ceil(max(y0, y1) + margin) + 1)):
            for x in range(max(0, math.floor(min(x0, x1) - margin)), min(columns, math.ceil(max(x0, x1) + margin) + 1)):
                share = 0.0
                if squared > 0.0:
                    share = min(1.0, max(0.0, ((y - y0) * dy + (x - x0) * dx) / squared))
                away = math.hypot(y - y0 - share * dy, x - x0 - share * dx)
                width = openings[i] + share * (openings[i + 1] - openings[i])
                beside = away - 0.5 * width
                if beside < nearest[y, x]:
                    nearest[y, x] = beside
                    distance[y, x] = away
                    opening[y, x] = width
