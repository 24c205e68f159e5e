"""ImageJ ROIs: parsing, names of classes, and labels made from them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import roifile
from numpy.typing import NDArray

from beamforge.errors import InputError, one_of
from beamforge.io.guard import damage_named
from beamforge.io.pattern import natural_key
from beamforge.io.roi_shapes import Points, Polygons, RoundedBox, Shape, window_of
from beamforge.io.safe_zip import read_entries
from beamforge.stack import IGNORE

MAGIC = b"Iout"
IGNORED = "ignore"
"""The class name under which pixels are set to the ignore label."""

_TYPE, _SUBTYPE = roifile.ROI_TYPE, roifile.ROI_SUBTYPE
_OUTLINES = (_TYPE.POLYGON, _TYPE.FREEHAND, _TYPE.TRACED)
_NUMBERED = re.compile(r"^(.*\S)[ _-]+\d+$")
_BY_POSITION = re.compile(r"^\d{3,}(-\d{3,}){1,2}$")
_LARGEST_FILE = 16 * 2**20
_LARGEST_COORDINATE = 1e6
_CURVE_STEPS = np.linspace(0.0, 1.0, 17)[1:, None]


@dataclass(frozen=True)
class Roi:
    """A region with its name, the kind ImageJ calls it, and its shape."""

    name: str
    kind: str
    shape: Shape


def roi_files(path: Path) -> dict[str, bytes]:
    """Read the ROI files at a path: one ``.roi``, a ``.zip`` of them, or a folder of them, by name.

    Raises
    ------
    InputError
        If there is none, or the archive is refused.
    """
    if path.is_dir():
        files = sorted(path.glob("*.roi"), key=lambda p: natural_key(p.name))
        return {file.name: _read(file) for file in files}
    data = _read(path) if _starts(path, MAGIC) else None
    found = {path.name: data} if data is not None else read_entries(path, ".roi")
    if not found:
        raise InputError(f"{path} holds no .roi entry; save the ROI Manager's list with More > Save")
    return found


def _starts(path: Path, magic: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _read(file: Path) -> bytes:
    with damage_named(file, "an ImageJ ROI"), file.open("rb") as stream:
        data = stream.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise InputError(f"{file} is larger than any ROI; check what it is")
    return data


def parse_rois(path: Path) -> list[Roi]:
    """Parse all ROIs at a path, in natural order of their names.

    Raises
    ------
    InputError
        If one is damaged or has no area; the entry is named.
    """
    rois = [_parse(data, Path(name).stem, f"{path}: {name}") for name, data in roi_files(path).items()]
    return sorted(rois, key=lambda roi: natural_key(roi.name))


def _parse(data: bytes, stem: str, source: str) -> Roi:
    with damage_named(source, "an ImageJ ROI"):
        raw = roifile.ImagejRoi.frombytes(data)
        name = (raw.name or "").strip("\x00 ") or stem
        kind, shape = _shape(raw, f"{source} ({name!r})")
        bounds = np.asarray(shape.bounds)
    if not np.isfinite(bounds).all() or np.abs(bounds).max() > _LARGEST_COORDINATE:
        raise InputError(f"{source}: its coordinates ({bounds.tolist()}) are no positions in an image; it is damaged")
    return Roi(name, kind, shape)


def _shape(raw: Any, source: str) -> tuple[str, Shape]:
    kind = raw.roitype.name.lower()
    if raw.subtype in (_SUBTYPE.TEXT, _SUBTYPE.IMAGE, _SUBTYPE.ARROW):
        raise InputError(f"{source} is a {raw.subtype.name.lower()} overlay and no area; remove it from the set")
    if raw.composite and raw.roitype == _TYPE.RECT:
        return "composite", Polygons(tuple(_outlines(raw.multi_coordinates)))
    if raw.options & roifile.ROI_OPTIONS.SPLINE_FIT:
        raise InputError(
            f"{source} is drawn with a spline fit, whose outline is not stored; "
            "in ImageJ use Edit > Selection > Interpolate and add it again"
        )
    if raw.roitype in (_TYPE.RECT, _TYPE.OVAL):
        box = (raw.left, raw.top, raw.right - raw.left, raw.bottom - raw.top)
        left, top, width, height = (raw.xd, raw.yd, raw.widthd, raw.heightd) if raw.subpixelrect else box
        if raw.roitype == _TYPE.OVAL:
            return kind, RoundedBox(left, top, width, height, width / 2, height / 2)
        arc = float(raw.rounded_rect_arc_size)
        return kind, RoundedBox(left, top, width, height, min(arc, width) / 2, min(arc, height) / 2)
    if raw.roitype in _OUTLINES:
        outline = np.asarray(raw.coordinates(), dtype=np.float64)
        if len(outline) < 3:
            raise InputError(f"{source} has {len(outline)} corners, an area needs three; draw it again")
        return kind, Polygons((outline,))
    raise InputError(
        f"{source} is a {kind} and has no area; draw a polygon, rectangle, oval or freehand region, or remove it"
    )


def _outlines(path: NDArray[np.float32]) -> list[Points]:
    """Turn the path of a composite ROI into outlines; curves become 16 straight pieces.

    The operations are those of java.awt.geom.PathIterator: 0 move, 1 line, 2 quadratic, 3 cubic, 4 close.
    """
    outlines: list[list[Points]] = []
    values = np.asarray(path, dtype=np.float64)
    place = 0
    while place < len(values):
        operation = int(values[place])
        count = {0: 1, 1: 1, 2: 2, 3: 3, 4: 0}[operation]
        points = values[place + 1 : place + 1 + 2 * count].reshape(count, 2)
        place += 1 + 2 * count
        if operation == 0:
            outlines.append([points])
        elif operation != 4:
            outlines[-1].append(_curve(outlines[-1][-1][-1], points))
    joined = [np.concatenate(pieces) for pieces in outlines]
    return [outline for outline in joined if len(outline) >= 3]


def _curve(start: Points, controls: Points) -> Points:
    """Give points along a Bézier curve after its start (de Casteljau)."""
    if len(controls) == 1:
        return controls
    levels = [np.broadcast_to(p, (len(_CURVE_STEPS), 2)) for p in (start, *controls)]
    while len(levels) > 1:
        levels = [a + _CURVE_STEPS * (b - a) for a, b in itertools.pairwise(levels)]
    return np.asarray(levels[0])


def class_of(name: str, known: Sequence[str] | None, legend: Mapping[str, str] | None, source: str) -> str:
    """Give the class of an ROI from its name: ``water``, ``water_1`` and ``water-2`` are all of class ``water``.

    A name that stands in `legend` or `known` as it is needs no trailing number taken off.

    Raises
    ------
    InputError
        If the name is one ImageJ made up from the position, or its class is not among the known ones.
    """
    numbered = _NUMBERED.match(name)
    stem = numbered.group(1) if numbered else name
    if legend:
        for candidate in (name, stem):
            if candidate in legend:
                return legend[candidate]
    if known is not None:
        for candidate in (name, stem):
            if candidate in known or candidate == IGNORED:
                return candidate
    if _BY_POSITION.match(name):
        raise InputError(
            f"{source}: the ROI {name!r} has the name ImageJ made up, which says no class; rename it in the ROI "
            f"Manager to its class, such as 'water_1', or pass legend={{{name!r}: 'water'}}"
        )
    if known is not None:
        raise InputError(f"{source}: ROI {name!r}: {one_of('class', stem, [*known, IGNORED])}")
    if legend:
        raise InputError(f"{source}: ROI {name!r}: {one_of('ROI name in the legend', stem, legend)}")
    return stem


def draw(
    rois: Sequence[Roi],
    numbers: Sequence[int],
    size: tuple[int, int],
    background: int,
    overlap: Literal["error", "ignore"],
    source: str,
) -> NDArray[np.uint8]:
    """Draw ROIs into a label image.

    Parameters
    ----------
    rois, numbers
        Regions and the class number of each.
    size
        (y, x) in px.
    background
        Number of the pixels in no ROI.
    overlap
        What to do where ROIs of different classes overlap.
    source
        What to call the ROIs in errors.

    Raises
    ------
    InputError
        If an ROI holds no pixel of the image, or ROIs of different classes overlap.
    """
    labels = np.full(size, background, dtype=np.uint8)
    owner = np.full(size, -1, dtype=np.int32)
    clashes: dict[tuple[str, str], int] = {}
    disputed = np.zeros(size, dtype=bool)
    for position, (roi, number) in enumerate(zip(rois, numbers, strict=True)):
        rows, columns = window_of(roi.shape, size)
        inside = roi.shape.mask(rows, columns)
        if not inside.any():
            edges = ", ".join(f"{v:g}" for v in roi.shape.bounds)
            raise InputError(
                f"{source}: the ROI {roi.name!r} (left, top, right, bottom {edges}) holds no pixel of the "
                f"{size[0]}×{size[1]} (y, x) image; it belongs to another image or is too small"
            )
        window = (slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        clash = inside & (owner[window] >= 0) & (labels[window] != number)
        for other in np.unique(owner[window][clash]):
            count = int(np.count_nonzero(owner[window][clash] == other))
            clashes[(rois[other].name, roi.name)] = count
        disputed[window] |= clash
        labels[window][inside] = number
        owner[window][inside] = position
    if clashes and overlap == "error":
        listing = "; ".join(f"{a!r} and {b!r} share {count} px" for (a, b), count in list(clashes.items())[:10])
        raise InputError(
            f"{source}: ROIs of different classes overlap: {listing}; redraw them, or pass overlap='ignore' to leave "
            "those pixels out"
        )
    labels[disputed] = IGNORE
    return labels
