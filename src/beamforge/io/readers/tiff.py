"""TIFF: one or many pages, ImageJ hyperstacks, OME-TIFF, scitiff and our own."""

from __future__ import annotations

import logging
from pathlib import Path

import tifffile

from beamforge.errors import InputError
from beamforge.io.guard import check_dtype, check_size
from beamforge.io.image import Coordinate, Image
from beamforge.io.lazy import as_dask, row_chunks
from beamforge.io.reader import Reader
from beamforge.io.tiff_chain import check_chain
from beamforge.io.tiff_metadata import TiffFacts, facts_of
from beamforge.io.tiff_pages import TiffArray

# tifffile reports oddities of a file through logging, which without a handler would print them on the terminal.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

_AXES = {"X": "x", "Y": "y", "S": "s", "C": "c", "T": "t", "Z": "z"}


class TiffReader(Reader, name="TIFF", suffixes=(".tif", ".tiff", ".btf", ".tf8", ".ome.tif")):
    """Reads rows of pages, so that a window of a stack costs only the strips or tiles it touches."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know classic and BigTIFF in both byte orders."""
        return head.startswith(_MAGIC)

    def contents(self, path: Path) -> tuple[str, ...]:
        """List the images if there are several of different kinds."""
        with tifffile.TiffFile(path) as file:
            found = _images(file)
            return tuple(f"{i}: {_describe(s)}" for i, s in enumerate(found)) if len(found) > 1 else ()

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Open the only image, or number `dataset` of several."""
        check_chain(path)
        with tifffile.TiffFile(path) as file:
            number = _choose(path, _images(file), dataset)
            series = _images(file)[number]
            check_dtype(str(path), series.dtype)
            check_size(str(path), series.shape, series.dtype, max_bytes)
            if series.is_multifile:
                raise InputError(f"{path} is one of several OME-TIFF files that belong together; join them into one")
            facts = facts_of(file, series, str(path))
            axes = _axes(path, series, facts)
            array = TiffArray(path, file.series.index(series), series, file.byteorder)
        row_axis = axes.index("y")
        chunks = row_chunks(array.shape, array.dtype.itemsize, array.rows_at_once, row_axis)
        return Image(
            data=as_dask(array, chunks, number),
            axes=axes,
            coordinates=_fitting(facts.coordinates, axes, array.shape),
            channels=facts.channels,
            classes=facts.classes,
            palette=facts.palette,
            pixel_size=facts.pixel_size,
            pixel_size_unit=facts.pixel_size_unit,
            units=facts.units,
            attrs=facts.attrs,
        )


def _images(file: tifffile.TiffFile) -> list[tifffile.TiffPageSeries]:
    """Give the images of a file without thumbnails, reduced copies and transparency masks."""
    return [s for s in file.series if not (s.keyframe.is_reduced or s.keyframe.is_mask)] or list(file.series)


def _describe(series: tifffile.TiffPageSeries) -> str:
    return f"{'×'.join(str(side) for side in series.shape)} {series.dtype} ({series.axes})"


def _choose(path: Path, images: list[tifffile.TiffPageSeries], dataset: str | None) -> int:
    listing = "; ".join(f"{i}: {_describe(s)}" for i, s in enumerate(images))
    if not images:
        raise InputError(f"{path} holds no image; it is truncated or damaged, copy it again")
    if dataset is None:
        if len(images) > 1:
            raise InputError(f"{path} holds {len(images)} images that differ, choose one with dataset=: {listing}")
        return 0
    if not dataset.isdecimal() or int(dataset) >= len(images):
        raise InputError(f"{path} has no image {dataset!r}; it holds {listing}")
    return int(dataset)


def _axes(path: Path, series: tifffile.TiffPageSeries, facts: TiffFacts) -> tuple[str, ...]:
    if "Y" not in series.axes or "X" not in series.axes:
        raise InputError(f"{path} has the axes {series.axes!r}, expected an image with Y and X")
    names: list[str] = []
    for letter in series.axes:
        name = _AXES.get(letter, letter.lower())
        if name == "s" and not facts.colour:
            name = "c"
        while name in names:
            name += name[-1]
        names.append(name)
    return tuple(names)


def _fitting(
    coordinates: tuple[Coordinate, ...], axes: tuple[str, ...], shape: tuple[int, ...]
) -> tuple[Coordinate, ...]:
    sizes = dict(zip(axes, shape, strict=True))
    return tuple(c for c in coordinates if sizes.get(c.axis) == len(c.values))
