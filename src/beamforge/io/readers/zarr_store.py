"""Zarr arrays and groups of version 2 and 3, OME-Zarr images and labels among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_dtype, check_size, damage_named
from beamforge.io.image import Coordinate, Image
from beamforge.io.lazy import WindowedArray, as_dask
from beamforge.io.metadata import KEY, Metadata
from beamforge.io.ome import label_classes
from beamforge.io.reader import Reader
from beamforge.io.units import length_unit
from beamforge.io.zarr_chunks import check_blosc_chunks

_MARKS = ("zarr.json", ".zarray", ".zgroup", ".zmetadata")

_CHUNK = "16 MiB"


class _ZarrArray(WindowedArray):
    def __init__(self, path: Path, inner: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().__init__(path, shape, dtype)
        self.inner = inner

    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read the chunks that hold a window."""
        with damage_named(self.path, "Zarr"):
            array = zarr.open_array(self.path, path=self.inner, mode="r")
            check_blosc_chunks(self.path, array, ranges)
            return np.asarray(array[tuple(slice(a, b) for a, b in ranges)])


class ZarrReader(Reader, name="Zarr", suffixes=(".zarr",)):
    """An array, the full resolution of an OME-Zarr image, or the array `dataset` of a group."""

    cap = 2**60
    """Chunks are read one by one and may be absent, so a large declared size is the ordinary case here."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know a folder by the metadata file in it."""
        return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)

    def contents(self, path: Path) -> tuple[str, ...]:
        """List the arrays of a plain group."""
        node = zarr.open(path, mode="r")
        if not isinstance(node, zarr.Group) or _multiscale(node) is not None:
            return ()
        return tuple(f"{name}: {'×'.join(map(str, a.shape))} {a.dtype}" for name, a in _arrays(node))

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read metadata only."""
        node: Any = zarr.open(path, path=dataset.strip("/") if dataset else "", mode="r")
        group = node if isinstance(node, zarr.Group) else None
        scales = _multiscale(group) if group is not None else None
        if group is not None:
            node = group[scales["datasets"][0]["path"]] if scales else _only_array(path, group)
        source = f"{path}:/{node.path}" if node.path else str(path)
        check_dtype(source, node.dtype)
        check_size(source, node.shape, node.dtype, max_bytes)
        check_size(f"{source}: one chunk", node.chunks, node.dtype, EAGER_CAP)
        if node.ndim < 2:
            raise InputError(f"{source} has the shape {node.shape}, expected (…, y, x)")
        stored = getattr(node, "shards", None) or node.chunks
        chunks = da.core.normalize_chunks("auto", node.shape, limit=_CHUNK, dtype=node.dtype, previous_chunks=stored)
        array = as_dask(_ZarrArray(path, node.path, node.shape, node.dtype), chunks, node.path)
        return _described(array, node, group, scales, source)


def _described(array: da.Array, node: Any, group: Any, scales: dict[str, Any] | None, source: str) -> Image:
    attributes = dict((group if group is not None else node).attrs)
    ours = Metadata.read(attributes.get(KEY), source)
    axes = _axes(node, scales)
    size, unit = _pixel_size(scales, axes)
    ome = attributes.get("ome", attributes)
    if ours is not None:
        return Image(
            data=array,
            axes=axes,
            channels=ours.channels,
            classes=ours.classes,
            pixel_size=ours.pixel_size,
            pixel_size_unit=ours.pixel_size_unit,
            units=ours.units,
            attrs={"provenance": ours.provenance} if ours.provenance else {},
        )
    names = tuple(str(c.get("label", "")) for c in ome.get("omero", {}).get("channels", []))
    sizes = dict(zip(axes, array.shape, strict=True))
    fits = len(names) == sizes.get("c") and all(names) and len(set(names)) == len(names)
    return Image(
        data=array,
        axes=axes,
        coordinates=(Coordinate("mode", "c", names),) if fits else (),
        classes=label_classes(ome["image-label"]) if "image-label" in ome else None,
        pixel_size=size,
        pixel_size_unit=unit,
        units=str(attributes["units"]) if "units" in attributes else None,
    )


def _multiscale(group: Any) -> dict[str, Any] | None:
    attributes = dict(group.attrs)
    scales = attributes.get("ome", attributes).get("multiscales")
    return dict(scales[0]) if scales else None


def _arrays(group: Any) -> list[tuple[str, Any]]:
    """Give the arrays of a group that may be images, at most three groups deep."""
    found = [(name, node) for name, node in group.members(max_depth=3) if isinstance(node, zarr.Array)]
    return sorted((name, node) for name, node in found if node.ndim >= 2 and node.dtype.kind in "uifb")


def _only_array(path: Path, group: Any) -> Any:
    found = _arrays(group)
    listing = "; ".join(f"{name}: {'×'.join(map(str, a.shape))} {a.dtype}" for name, a in found)
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} images, choose one with dataset=: {listing or 'none are there'}")
    return found[0][1]


def _axes(node: Any, scales: dict[str, Any] | None) -> tuple[str, ...]:
    named = [axis["name"] if isinstance(axis, dict) else str(axis) for axis in scales.get("axes", [])] if scales else []
    if not named:
        named = list(getattr(node.metadata, "dimension_names", None) or dict(node.attrs).get("_ARRAY_DIMENSIONS", []))
    if len(named) == node.ndim and {"y", "x"} <= set(named):
        return tuple(str(name) for name in named)
    return (*(f"axis_{i}" for i in range(node.ndim - 2)), "y", "x")


def _pixel_size(scales: dict[str, Any] | None, axes: tuple[str, ...]) -> tuple[float | None, str]:
    if scales is None:
        return None, "µm"
    units = {a["name"]: a.get("unit") for a in scales.get("axes", []) if isinstance(a, dict)}
    side = dict.fromkeys(axes, 1.0)
    steps = [*scales["datasets"][0].get("coordinateTransformations", []), *scales.get("coordinateTransformations", [])]
    for step in steps:
        if step.get("type") == "scale":
            side = {axis: side[axis] * float(s) for axis, s in zip(axes, step["scale"], strict=True)}
    unit = length_unit(units.get("x"))
    if unit is None or units.get("y") != units.get("x") or abs(side["y"] / side["x"] - 1) > 1e-3:
        return None, "µm"
    return side["x"], unit
