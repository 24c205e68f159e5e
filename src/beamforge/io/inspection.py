"""What a file is: shape, type, channels, units, classes, values."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP
from beamforge.io.image import Image, to_stack
from beamforge.io.inspection_text import text_of
from beamforge.io.labels import is_roi_file
from beamforge.io.pattern import is_pattern
from beamforge.io.reader import reader_for, recognise
from beamforge.io.rois import Roi, class_of, parse_rois
from beamforge.io.sample import Statistics, statistics_of
from beamforge.io.stacks import open_stack, split_inner
from beamforge.stack import IGNORE, Channel, Classes, channels_of

_MOST_CLASSES = 64
_COUNTED_WHOLE = 2**28


class ClassCount(BaseModel):
    """A class of a label file and how much of it there is; percent is of the labelled pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    colour: str
    pixels: int
    percent: float


class RoiSummary(BaseModel):
    """One ImageJ ROI; ``class_name`` is None where its name says none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    class_name: str | None
    bounds: tuple[float, float, float, float]


class Inspection(BaseModel):
    """What `inspect_file` found.

    ``kind`` is ``stack``, ``labels``, ``rois``, or ``container`` for a file with several images of which one has to
    be chosen (listed in ``contents``). Values are of a bounded sample; see `Statistics`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    format: str
    kind: Literal["stack", "labels", "rois", "container"]
    shape: tuple[int, ...] = ()
    dims: tuple[str, ...] = ()
    dtype: str = ""
    bytes_unpacked: int = 0
    chunk: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()
    units: str | None = None
    pixel_size: float | None = None
    pixel_size_unit: str | None = None
    statistics: Statistics | None = None
    classes: tuple[ClassCount, ...] = ()
    ignored: int = 0
    counted_fraction: float = 1.0
    rois: tuple[RoiSummary, ...] = ()
    contents: tuple[str, ...] = ()
    files: int = 1
    notes: tuple[str, ...] = ()

    def render(self, width: int = 100) -> str:
        """Give the findings as plain text for a terminal `width` characters wide."""
        return text_of(self, width)


def inspect_file(path: str | Path, *, dataset: str | int | None = None, max_bytes: int | None = None) -> Inspection:
    """Look at a file, folder or pattern without loading all of it.

    Parameters
    ----------
    path
        Anything `open_stack` or `open_labels` takes.
    dataset
        Which image inside a file that holds several; without it such a file's images are listed.
    max_bytes
        Most bytes an array may declare; see `open_stack`.

    Raises
    ------
    InputError
        If the file cannot be read as anything.
    """
    source = str(path)
    if is_pattern(source):
        return _of_stack(source, "pattern of files", open_stack(path, dataset=dataset, max_bytes=max_bytes))
    place, inner = split_inner(path)
    if not place.exists():
        raise InputError(f"{place}: no such file or folder; check the path")
    if is_roi_file(place):
        return _of_rois(source, parse_rois(place))
    if place.is_dir() and recognise(place) is None:
        return _of_stack(source, "folder of images", open_stack(path, dataset=dataset, max_bytes=max_bytes))
    reader = reader_for(place)
    wanted = inner if inner is not None else None if dataset is None else str(dataset)
    contents = reader.list_contents(place) if wanted is None else ()
    try:
        image = reader.open(place, wanted, max_bytes)
    except InputError:
        if not contents:
            raise
        return Inspection(path=source, format=reader.name, kind="container", contents=contents)
    if _is_labels(image):
        return _of_labels(source, reader.name, image)
    return _of_stack(source, reader.name, to_stack(image, source), contents)


def _is_labels(image: Image) -> bool:
    """Say whether an image is labels: it declares classes, is indexed, or holds a few small whole numbers."""
    if image.classes is not None or image.indexed:
        return True
    if image.channels is not None or image.colour or image.data.dtype.kind not in "uib" or image.data.ndim > 3:
        return False
    if image.data.nbytes > EAGER_CAP or image.data.size > _COUNTED_WHOLE or image.data.ndim != 2:
        return False
    values = np.unique(np.asarray(image.data))
    used = values[values != IGNORE]
    if not used.size or values.size < 2 or int(used[0]) < 0:
        return False
    return int(used[-1]) < min(_MOST_CLASSES, 2 * len(used))


def _size_fields(source: str, name: str, array: xr.DataArray) -> dict[str, object]:
    return {
        "path": source,
        "format": name,
        "shape": tuple(int(side) for side in array.shape),
        "dims": tuple(str(dim) for dim in array.dims),
        "dtype": str(array.dtype),
        "bytes_unpacked": int(array.nbytes),
        "chunk": tuple(int(sizes[0]) for sizes in array.chunks or ()),
        "pixel_size": array.attrs.get("pixel_size"),
        "pixel_size_unit": array.attrs.get("pixel_size_unit"),
    }


def _of_stack(source: str, name: str, stack: xr.DataArray, contents: tuple[str, ...] = ()) -> Inspection:
    statistics = statistics_of(stack.data)
    fields = _size_fields(source, name, stack)
    channels = channels_of(stack)
    return Inspection.model_validate(
        fields
        | {
            "kind": "stack",
            "channels": channels,
            "units": stack.attrs.get("units"),
            "statistics": statistics,
            "contents": contents,
            "files": len(stack.attrs.get("files", ())) or 1,
            "notes": tuple(_stack_notes(stack, statistics, channels)),
        }
    )


def _stack_notes(stack: xr.DataArray, statistics: Statistics, channels: tuple[Channel, ...]) -> list[str]:
    notes = []
    if statistics.nan or statistics.infinite:
        notes.append(f"{statistics.nan} NaN and {statistics.infinite} infinite values; they count nowhere later")
    if statistics.constant:
        names = ", ".join(channels[i].label for i in statistics.constant[:5])
        notes.append(f"{len(statistics.constant)} channels hold one value only ({names}); leave them out of a fit")
    if statistics.at_type_limit > statistics.looked_at * 1e-4 and stack.dtype != np.uint8:
        share = statistics.at_type_limit / statistics.looked_at
        notes.append(f"{share:.2%} of the values are at the largest {stack.dtype}; the detector may be saturated")
    if tuple(c.mode for c in channels) == ("red", "green", "blue"):
        middle = stack.data[:, stack.shape[1] // 2]
        if bool((middle == middle[:1]).all().compute()):
            notes.append("red, green and blue look the same; one of them is enough")
    if stack.attrs.get("white_is_zero"):
        notes.append("the file says that 0 is white; the values are kept as they are")
    if stack.attrs.get("lossy"):
        notes.append("JPEG compression has changed the values")
    if "pixel_size" not in stack.attrs:
        notes.append("the file does not say how large a pixel is; give pixel_size when it matters")
    return notes


def _of_labels(source: str, name: str, image: Image) -> Inspection:
    array = xr.DataArray(image.data, dims=image.axes)
    if image.pixel_size is not None:
        array.attrs |= {"pixel_size": image.pixel_size, "pixel_size_unit": image.pixel_size_unit}
    counts, fraction = _count(array)
    highest = max((v for v in counts if v != IGNORE), default=0)
    classes = image.classes or Classes.numbered(min(max(highest + 1, 1), IGNORE))
    labelled = sum(n for v, n in counts.items() if v != IGNORE)
    found = [
        ClassCount(
            number=number,
            name=class_name,
            colour=colour,
            pixels=counts.get(number, 0),
            percent=100.0 * counts.get(number, 0) / max(labelled, 1),
        )
        for number, (class_name, colour) in enumerate(zip(classes.names, classes.colours, strict=True))
    ]
    undeclared = sorted(v for v in counts if v != IGNORE and v >= len(classes))
    notes = [f"{c.name} has no pixel" for c in found if not c.pixels]
    if undeclared:
        notes.append(f"numbers without a class: {undeclared[:10]}")
    if image.classes is None:
        notes.append("the file names no classes; give their names with classes=")
    fields = _size_fields(source, name, array)
    return Inspection.model_validate(
        fields
        | {
            "kind": "labels",
            "classes": tuple(found),
            "ignored": counts.get(IGNORE, 0),
            "counted_fraction": fraction,
            "notes": tuple(notes),
        }
    )


def _count(labels: xr.DataArray) -> tuple[dict[int, int], float]:
    """Count each number plane by plane; of very large volumes in evenly spread planes only."""
    planes = labels.data if labels.ndim == 3 else labels.data[None]
    whole = planes.size <= _COUNTED_WHOLE
    wanted = planes.shape[0] if whole else max(1, _COUNTED_WHOLE // (planes.shape[1] * planes.shape[2]))
    chosen = sorted(set(np.linspace(0, planes.shape[0] - 1, wanted).astype(int).tolist()))
    counts: dict[int, int] = {}
    for number in chosen:
        values, found = np.unique(np.asarray(planes[number]), return_counts=True)
        for value, count in zip(values.tolist(), found.tolist(), strict=True):
            counts[int(value)] = counts.get(int(value), 0) + int(count)
    return counts, len(chosen) / planes.shape[0]


def _of_rois(source: str, rois: list[Roi]) -> Inspection:
    summaries, notes = [], []
    for roi in rois:
        try:
            name: str | None = class_of(roi.name, None, None, source)
        except InputError:
            name = None
        summaries.append(RoiSummary(name=roi.name, kind=roi.kind, class_name=name, bounds=roi.shape.bounds))
    nameless = [s.name for s in summaries if s.class_name is None]
    if nameless:
        notes.append(
            f"{len(nameless)} ROIs have names ImageJ made up ({', '.join(nameless[:5])}); rename them to classes"
        )
    notes.append("ROIs do not say how large their image is; open them with the stack they belong to")
    return Inspection(path=source, format="ImageJ ROI", kind="rois", rois=tuple(summaries), notes=tuple(notes))
