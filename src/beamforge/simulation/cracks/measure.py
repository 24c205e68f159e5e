"""Measuring annotated cracks: their path, their opening, and the grey values across them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, map_coordinates
from skimage.measure import approximate_polygon, label, regionprops
from skimage.morphology import skeletonize

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.stack import check_pair

REACH = 12.0
"""How far beside a crack grey values are looked at, in px."""
SPACING = 0.5
"""Distance in px of the places across a crack where grey values are looked at."""
PROFILE = np.linspace(0.0, 4.0, 17)
"""Distances from the axis, in half openings, at which the shape of the profile is kept."""

_LEAST_PATH = 6
_POLYGON = 1.0
"""How far in px a polyline may lie from the path it stands for."""
_SMOOTH = 2.0
_FLANK = 7.0
_LEAST_DEPTH = 0.05


class CrackMeasurement(NamedTuple):
    """One annotated crack.

    Attributes
    ----------
    lengths
        Lengths (segment,) in px of the segments of a polyline along it.
    turns
        Angles (segment - 1,) in rad between them.
    direction
        Angle in degrees, -90 to 90, of the line between its ends against the image's vertical.
    opening
        Full width at half depth of the mean profile across it, in px.
    depth
        How much darker than its surroundings it is, relative; below 0 for a crack that is brighter.
    margin
        How many px beyond the opening it was annotated at each side; below 0 where the annotation is thinner.
    jaggedness
        Root-mean-square distance in px, along either axis, of its path from the polyline.
    profile
        The relative change of the grey value at the distances `PROFILE`, divided by that on the axis.
    """

    lengths: Float64
    turns: Float64
    direction: float
    opening: float
    depth: float
    margin: float
    jaggedness: float
    profile: Float64


def measure_images(
    stack: xr.DataArray | Sequence[xr.DataArray], labels: xr.DataArray | Sequence[xr.DataArray]
) -> list[CrackMeasurement]:
    """Measure the cracks (class 1) of one annotated image or of several.

    Parameters
    ----------
    stack, labels
        Stacks (1, y, x) and their labels (y, x), of any sizes.

    Raises
    ------
    InputError
        If an image has several channels, or there is no crack to measure.
    """
    stacks = [stack] if isinstance(stack, xr.DataArray) else list(stack)
    known = [labels] if isinstance(labels, xr.DataArray) else list(labels)
    if len(stacks) != len(known):
        raise InputError(f"{len(stacks)} images and {len(known)} labels to measure cracks on; give one for each")
    found: list[CrackMeasurement] = []
    for image, classes in zip(stacks, known, strict=True):
        check_pair(image, classes)
        if image.sizes["channel"] != 1:
            raise InputError(f"cracks are measured on grey images, this one has {image.sizes['channel']} channels")
        mask = np.asarray(classes.values) == 1
        if mask.any():
            found += measure_cracks(np.asarray(image.values[0], np.float32), mask)
    if not found:
        raise InputError(
            f"no crack to measure on {len(stacks)} annotated images: class 1 is missing, or all its regions are "
            f"shorter than {_LEAST_PATH} px or as bright as what is around them; check the masks"
        )
    return found


def measure_cracks(image: Float32, mask: NDArray[np.bool_]) -> Iterator[CrackMeasurement]:
    """Measure every annotated crack of an image that is long and distinct enough.

    Parameters
    ----------
    image
        float32 (y, x) grey values.
    mask
        (y, x) True on cracks.
    """
    regions = label(mask, connectivity=2)
    for region in regionprops(regions):
        here = regions == region.label
        path = skeleton_path(here)
        if len(path) < _LEAST_PATH:
            continue
        measured = _measure(image, here, path)
        if measured is not None:
            yield measured


def skeleton_path(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the longest shortest path along the skeleton of a connected region, as (pixel, 2) rows and columns."""
    pixels = np.argwhere(skeletonize(mask))
    if len(pixels) < 2:
        return pixels.astype(np.int64)
    number = np.full(np.array(mask.shape) + 2, -1, np.int64)
    number[tuple(pixels.T + 1)] = np.arange(len(pixels))
    starts, ends, weights = [], [], []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        beside = number[tuple((pixels + 1 + (dy, dx)).T)]
        linked = np.flatnonzero(beside >= 0)
        starts.append(linked)
        ends.append(beside[linked])
        weights.append(np.full(len(linked), np.hypot(dy, dx)))
    edges = (np.concatenate(weights), (np.concatenate(starts), np.concatenate(ends)))
    graph = sparse.csr_array(edges, shape=(len(pixels), len(pixels)))
    # The pixel farthest from any pixel of a tree ends its longest path; skeletons are nearly trees.
    first = _farthest(graph, 0)[0]
    last, before = _farthest(graph, first)
    path = [last]
    while path[-1] != first:
        path.append(int(before[path[-1]]))
    return pixels[path].astype(np.int64)


def _farthest(graph: sparse.csr_array, start: int) -> tuple[int, NDArray[np.int32]]:
    lengths, before = sparse.csgraph.dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    return int(np.argmax(np.where(np.isfinite(lengths), lengths, -1.0))), before


def _measure(image: Float32, mask: NDArray[np.bool_], path: NDArray[np.int64]) -> CrackMeasurement | None:
    half_width = float(np.median(distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][tuple(path.T)]))
    smooth = gaussian_filter1d(path.astype(np.float64), _SMOOTH, axis=0, mode="nearest")
    found = _profile(image, smooth, half_width)
    if found is None:
        return None
    opening, depth, profile = found
    polyline = approximate_polygon(smooth, _POLYGON)
    steps = np.diff(polyline, axis=0)
    angles = np.arctan2(steps[:, 1], steps[:, 0])
    span = path[-1] - path[0]
    direction = float(np.degrees(np.arctan2(span[1], span[0])))
    return CrackMeasurement(
        lengths=np.hypot(*steps.T),
        turns=(np.diff(angles) + np.pi) % (2.0 * np.pi) - np.pi,
        direction=(direction + 90.0) % 180.0 - 90.0,
        opening=opening,
        depth=depth,
        margin=half_width - 0.5 * opening,
        jaggedness=_distance(smooth, polyline) / math.sqrt(2.0),
        profile=profile,
    )


def _distance(points: Float64, polyline: Float64) -> float:
    """Give the root-mean-square distance (px) of points (point, 2) from a polyline."""
    starts, steps = polyline[:-1], np.diff(polyline, axis=0)
    from_start = points[:, None] - starts
    share = np.clip((from_start * steps).sum(axis=2) / np.maximum((steps**2).sum(axis=1), 1e-12), 0.0, 1.0)
    away = ((from_start - share[..., None] * steps) ** 2).sum(axis=2).min(axis=1)
    return float(np.sqrt(away.mean()))


def _profile(image: Float32, path: Float64, half_width: float) -> tuple[float, float, Float64] | None:
    """Measure full width at half depth, depth, and the shape of the mean profile across a path.

    The annotation's middle is not the crack's: at each place the axis moves to where the grey value departs most.
    """
    offsets = np.arange(-REACH, REACH + SPACING / 2, SPACING)
    tangents = np.gradient(path, axis=0)
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)

    def across(shift: Float64) -> Float64:
        """Grey values relative to both flanks: (place along, place across), NaN outside the image."""
        places = path[:, None] + (offsets + shift[:, None])[..., None] * normals[:, None]
        values = map_coordinates(image, places.transpose(2, 0, 1), order=1, mode="constant", cval=np.nan)
        flank = values[:, np.abs(offsets) >= _FLANK]
        known = np.isfinite(flank).sum(axis=1)
        mean = np.where(known > 0, np.nansum(flank, axis=1) / np.maximum(known, 1), np.nan)
        relative: Float64 = values / np.where(mean > 0, mean, np.nan)[:, None] - 1.0
        return relative

    def averaged(rows: Float64) -> Float64:
        known = np.isfinite(rows)
        mean: Float64 = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return mean

    middle = np.abs(offsets) <= half_width + 1.0
    first = across(np.zeros(len(path)))
    sign = -1.0 if averaged(first)[middle].sum() <= 0 else 1.0
    inside = gaussian_filter1d(np.nan_to_num(sign * first[:, middle]), 3.0, axis=0)
    inside = gaussian_filter1d(inside, 1.0 / SPACING, axis=1)
    shift = gaussian_filter1d(offsets[middle][inside.argmax(axis=1)], 2.0)
    mean = averaged(across(shift))
    both = 0.5 * (mean + mean[::-1])[offsets >= 0.0]
    depth = -float(both[0])
    if abs(depth) < _LEAST_DEPTH:
        return None
    shape = both / both[0]
    distance = offsets[offsets >= 0.0]
    below = np.flatnonzero(shape < 0.5)
    if not below.size:
        return None
    last = int(below[0])
    half = float(np.interp(0.5, [shape[last], shape[last - 1]], [distance[last], distance[last - 1]]))
    return 2.0 * half, depth, np.interp(PROFILE * half, distance, shape)
