"""HDF5: NeXus, MATLAB 7.3 and any other file by the path of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
from numpy.typing import NDArray

from beamforge.errors import InputError, one_of
from beamforge.io.guard import EAGER_CAP, check_dtype, check_size, damage_named
from beamforge.io.hdf5_tree import candidates, describe, nexus_default
from beamforge.io.image import Coordinate, Image
from beamforge.io.lazy import WindowedArray, as_dask, row_chunks
from beamforge.io.reader import Reader
from beamforge.io.tiff_metadata import spacing
from beamforge.io.units import channel_factor, length_unit

_MAGIC = b"\x89HDF\r\n\x1a\n"


class _Hdf5Array(WindowedArray):
    def __init__(self, path: Path, inner: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().__init__(path, shape, dtype)
        self.inner = inner

    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read a window; h5py locks by itself."""
        with damage_named(f"{self.path}:{self.inner}", "HDF5"), h5py.File(self.path, "r") as file:
            return np.asarray(file[self.inner][tuple(slice(a, b) for a, b in ranges)])


class Hdf5Reader(Reader, name="HDF5", suffixes=(".h5", ".hdf5", ".hdf", ".nxs", ".nx", ".nxspe")):
    """The dataset asked for, else the one NeXus calls the default, else the only image there is."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know the signature, also behind a user block (MATLAB puts 512 bytes before it)."""
        return any(head[at : at + 8] == _MAGIC for at in (0, 512, 1024, 2048))

    def contents(self, path: Path) -> tuple[str, ...]:
        """List the datasets that may be images if there are several."""
        with h5py.File(path, "r") as file:
            found = candidates(file)
            return tuple(describe(file[name]) for name in found) if len(found) > 1 else ()

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read metadata only."""
        with h5py.File(path, "r") as file:
            inner = _choose(path, file, dataset)
            node = file[inner]
            source = f"{path}:{node.name}"
            _check(node, source, max_bytes)
            shape, dtype = tuple(node.shape), node.dtype
            axes, coordinates = _axes(node, source)
            size, unit = _pixel_size(node)
            units, chunks = node.attrs.get("units"), _chunks(node)
            by_columns = "MATLAB_class" in node.attrs
        data = as_dask(_Hdf5Array(path, inner, shape, dtype), chunks, inner)
        if by_columns:
            data = data.transpose()
            axes = ("y", "x", *(f"axis_{i}" for i in range(len(shape) - 2)))
            coordinates = ()
        return Image(
            data=data,
            axes=axes,
            coordinates=coordinates,
            pixel_size=size,
            pixel_size_unit=unit,
            units=_text(units) or None,
        )


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value if value is not None else "")


def _choose(path: Path, file: h5py.File, dataset: str | None) -> str:
    if dataset is not None:
        found = file.get(dataset)
        if isinstance(found, h5py.Dataset):
            return dataset
        if isinstance(found, h5py.Group):
            inside = nexus_default(found)
            names = [inside] if inside else candidates(found)
            if len(names) == 1:
                return names[0]
        raise one_of(f"dataset of {path}", dataset, candidates(file))
    default = nexus_default(file)
    found_names = [default] if default else candidates(file)
    if len(found_names) != 1:
        listing = "; ".join(describe(file[name]) for name in found_names[:30])
        raise InputError(
            f"{path} holds {len(found_names)} datasets that may be images, choose one with dataset= or "
            f"{path.name}:/PATH: {listing or 'none are there'}"
        )
    return found_names[0]


def _check(node: h5py.Dataset, source: str, max_bytes: int) -> None:
    check_dtype(source, node.dtype)
    if node.ndim < 2:
        raise InputError(f"{source} has the shape {node.shape}, expected (…, y, x)")
    check_size(source, node.shape, node.dtype, max_bytes)
    if node.chunks:
        check_size(f"{source}: one chunk", node.chunks, node.dtype, EAGER_CAP)
    if node.external:
        raise InputError(
            f"{source} keeps its values in the raw file {node.external[0][0]!r}, which is not read; repack it"
        )
    if node.is_virtual:
        folder = Path(node.file.filename).parent
        names = sorted({s.file_name for s in node.virtual_sources()} - {"."})
        missing = [name for name in names if not (folder / name).exists()]
        if missing:
            # HDF5 would give the fill value for what is missing, without a word.
            raise InputError(f"{source} is put together from files of which {len(missing)} are missing: {missing[:10]}")


def _chunks(node: h5py.Dataset) -> Any:
    if node.chunks is None:
        return row_chunks(node.shape, node.dtype.itemsize, 1, node.ndim - 2)
    return da.core.normalize_chunks("auto", node.shape, limit="16 MiB", dtype=node.dtype, previous_chunks=node.chunks)


def _axes(node: h5py.Dataset, source: str) -> tuple[tuple[str, ...], tuple[Coordinate, ...]]:
    """Name the axes as the NXdata group around the dataset does; the last two are y and x."""
    leading = node.ndim - 2
    named = np.atleast_1d(node.parent.attrs.get("axes", []))
    names = [_text(n) for n in named] if len(named) == node.ndim else ["."] * node.ndim
    axes: list[str] = []
    coordinates: list[Coordinate] = []
    for position, name in enumerate(names[:leading]):
        axis = f"axis_{position}"
        axes.append(axis)
        values = node.parent.get(name) if name != "." else None
        if not isinstance(values, h5py.Dataset) or values.shape != (node.shape[position],):
            continue
        if values.dtype.kind in "uif":
            unit = _text(values.attrs.get("units"))
            factor = channel_factor(name, unit, source)
            numbers = tuple(float(v) * factor for v in values[()])
            coordinates.append(Coordinate(name, axis, numbers, unit))
        elif h5py.check_string_dtype(values.dtype):
            coordinates.append(Coordinate("mode", axis, tuple(_text(v) for v in values[()])))
    return (*axes, "y", "x"), tuple(coordinates)


def _pixel_size(node: h5py.Dataset) -> tuple[float | None, str]:
    """Read the pixel size from evenly spaced axes in a length, or from ``x_pixel_size`` beside the dataset."""
    named = np.atleast_1d(node.parent.attrs.get("axes", []))
    across = node.parent.get(_text(named[-1])) if len(named) == node.ndim else None
    if isinstance(across, h5py.Dataset) and across.shape == (node.shape[-1],):
        unit = length_unit(_text(across.attrs.get("units")))
        side = spacing(np.asarray(across[()], dtype=np.float64))
        if unit and side:
            return side, unit
    for group in (node.parent, node.parent.parent):
        pixel = group.get("x_pixel_size")
        if isinstance(pixel, h5py.Dataset) and pixel.size:
            unit = length_unit(_text(pixel.attrs.get("units")))
            if unit:
                return float(np.ravel(pixel[()])[0]), unit
    return None, "µm"
