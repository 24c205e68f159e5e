"""Cleaning stacks of any size: detect and fill strip by strip."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from beamforge.arrays import Float32
from beamforge.classical.spots.detectors import SpotDetector
from beamforge.classical.spots.inpainting import RADII, fill_spots
from beamforge.errors import InputError
from beamforge.io import open_label_writer
from beamforge.io.stack_writer import open_stack_writer
from beamforge.progress import tracked
from beamforge.provenance import provenance
from beamforge.statistics.local_noise import NoiseModel

STRIP = 1024
"""Rows worked through at once: as many as a chunk of the Zarr files has."""
_PIECE = 512
_PIECES = 4
CLASSES = ("clean", "spot")


@dataclass(frozen=True)
class Cleaning:
    """What a cleaning gave.

    Attributes
    ----------
    path, mask
        The clean stack and, where it was asked for, the mask of what was replaced.
    pixels, spots
        How many there are and how many of them were spots.
    left
        Pixels of spots without any valid pixel within 16 px, which were left as they are.
    seconds
        How long it took.
    """

    path: Path
    mask: Path | None
    pixels: int
    spots: int
    left: int
    seconds: float


def clean(
    stack: xr.DataArray,
    out: str | Path,
    detector: SpotDetector,
    *,
    mask: str | Path | None = None,
    strip: int = STRIP,
    progress: bool = True,
) -> Cleaning:
    """Replace the spots of every image of a stack and write it strip by strip.

    The noise is estimated for every image, from at most 16 pieces of 512² px spread over it; memory holds a strip and
    not the image.

    Parameters
    ----------
    stack
        (channel, y, x), every channel an image; it may be lazy. The type of its values is kept.
    out
        ``NAME.tif`` or ``NAME.zarr``.
    detector
        What detects.
    mask
        Where to write the mask: ``NAME.tif`` or ``NAME.zarr``, (y, x), or (z, y, x) for several images.
    strip
        Rows worked through at once. The result does not depend on it as long as a pixel's answer depends on no more
        than the detector's halo.
    progress
        Whether to show how far the work is.

    Raises
    ------
    InputError
        If it is not a stack, an image of it has no noise or is not finite, or a path has another ending.
    BeamforgeError
        If the disk is full.
    """
    started = time.perf_counter()
    if stack.dims != ("channel", "y", "x") or stack.dtype.kind not in "uif":
        raise InputError(f"spots are cleaned from stacks (channel, y, x) of numbers, not {stack.dtype} {stack.dims}")
    if strip < 1:
        raise InputError(f"a strip of {strip} rows, expected at least 1")
    planes, height, width = stack.shape
    origin = provenance(simulated=bool(stack.attrs.get("simulated", False)), detector=_described(detector))
    starts = [(plane, row) for plane in range(planes) for row in range(0, height, strip)]
    spots = left = 0
    with contextlib.ExitStack() as opened:
        write = opened.enter_context(open_stack_writer(out, stack, provenance=origin))
        shape = (height, width) if planes == 1 else (planes, height, width)
        marks = None
        if mask is not None:
            marks = opened.enter_context(open_label_writer(mask, shape, CLASSES, provenance=origin))
        for plane, row in tracked(starts, "cleaning") if progress else starts:
            if row == 0:
                noise = _noise(stack, plane)
            rows = slice(row, min(row + strip, height))
            cleaned, found, remaining = _clean_rows(stack, plane, rows, detector, noise)
            write(plane, row, cleaned)
            if marks is not None:
                marks.write((found if planes == 1 else found[None]).astype(np.uint8), (plane, row, 0)[-len(shape) :])
            spots, left = spots + int(found.sum()), left + int(remaining.sum())
    seconds = time.perf_counter() - started
    return Cleaning(Path(out), None if mask is None else Path(mask), planes * height * width, spots, left, seconds)


def _clean_rows(
    stack: xr.DataArray, plane: int, rows: slice, detector: SpotDetector, noise: NoiseModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clean some rows, reading as many around them as they depend on; give image, spots, and spots left."""
    around = detector.halo + RADII[-1]
    first, last = max(0, rows.start - around), min(stack.sizes["y"], rows.stop + around)
    values = np.asarray(stack.variable[plane, first:last].values)
    image = values.astype(np.float32)
    inner = slice(rows.start - first, rows.stop - first)
    if not np.isfinite(image).any():
        nothing = np.zeros(values[inner].shape, np.bool_)
        return values[inner], nothing, nothing
    found = detector.detect(image, noise)
    filled, left = fill_spots(values, found)
    return filled[inner], found[inner], left[inner]


def _noise(stack: xr.DataArray, plane: int) -> NoiseModel:
    try:
        return NoiseModel.fit(_pieces(stack, plane))
    except InputError as error:
        raise InputError(f"image {plane} of the stack: {error}") from error


def _pieces(stack: xr.DataArray, plane: int) -> Iterator[Float32]:
    """Give the image if it is small, else pieces on a grid over it."""
    starts = []
    for side in stack.shape[1:]:
        count = min(_PIECES, -(-side // _PIECE))
        starts.append(np.linspace(0, max(0, side - _PIECE), count).astype(int))
    for row in starts[0]:
        for column in starts[1]:
            piece = stack.variable[plane, row : row + _PIECE, column : column + _PIECE]
            yield np.asarray(piece.values).astype(np.float32)


def _described(detector: SpotDetector) -> str:
    """Give the detector's settings where it has any that can be read, else its name."""
    return repr(detector) if "object at" not in repr(detector) else type(detector).__name__
