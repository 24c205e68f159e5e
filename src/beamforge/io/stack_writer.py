"""Writing a stack block by block, so that it may be far larger than memory.

The file appears under its name when the block of code ends well, and not before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import xarray as xr
from numpy.typing import NDArray

from beamforge.errors import BeamforgeError, InputError
from beamforge.files import atomic_path
from beamforge.io.label_files import BIG_TIFF, resolution_tags
from beamforge.io.metadata import KEY, Metadata
from beamforge.io.ome import VERSION, multiscales

WriteRows = Callable[[int, int, NDArray[Any]], None]
"""Writes rows (y, x) as wide as the image into a channel, from a first row on: ``write(channel, row, rows)``."""


@contextlib.contextmanager
def open_stack_writer(
    path: str | Path, stack: xr.DataArray, *, provenance: Mapping[str, Any] | None = None
) -> Iterator[WriteRows]:
    """Open a stack to be written in strips of rows.

    Parameters
    ----------
    path
        ``NAME.tif`` (uncompressed) or ``NAME.zarr`` (OME-Zarr 0.5).
    stack
        What the new stack is like: its shape, type, channels, pixel size and units. Its values are not read.
    provenance
        Where the new stack comes from, JSON-able.

    Yields
    ------
    WriteRows
        Must be called until every row of every channel is written once.

    Raises
    ------
    InputError
        If it is not a stack or the path has another ending.
    BeamforgeError
        If rows are missing or the disk is full; then nothing is left at `path`, or what was there before.
    """
    target = Path(path)
    if stack.dims != ("channel", "y", "x"):
        raise InputError(f"a stack has dims (channel, y, x), not {tuple(stack.dims)}; see beamforge.stack.as_stack")
    kinds = {".tif": _tiff_rows, ".tiff": _tiff_rows, ".zarr": _zarr_rows}
    if target.suffix.lower() not in kinds:
        raise InputError(f"{target}: stacks are saved as .tif or .zarr, not as {target.suffix or 'a folder'!r}")
    missing = np.ones((stack.sizes["channel"], stack.sizes["y"]), np.bool_)
    metadata = Metadata.of_stack(stack, provenance)
    with atomic_path(target) as temporary:
        with kinds[target.suffix.lower()](temporary, stack, metadata) as store:

            def write(channel: int, row: int, rows: NDArray[Any]) -> None:
                if rows.ndim != 2 or rows.shape[1] != stack.sizes["x"] or rows.dtype != stack.dtype:
                    raise InputError(
                        f"rows of {rows.dtype} {rows.shape} do not fit a stack of {stack.dtype} {stack.shape}"
                    )
                store(channel, row, rows)
                missing[channel, row : row + len(rows)] = False

            yield write
        if missing.any():
            raise BeamforgeError(f"{int(missing.sum())} of {missing.size} rows of {target} were not written")


@contextlib.contextmanager
def _tiff_rows(path: Path, stack: xr.DataArray, metadata: Metadata) -> Iterator[WriteRows]:
    """Lay an uncompressed TIFF out and write its rows in place."""
    place = tifffile.imwrite(
        path,
        shape=stack.shape,
        dtype=stack.dtype,
        returnoffset=True,
        contiguous=True,
        photometric="minisblack",
        bigtiff=stack.nbytes > BIG_TIFF,
        metadata={"axes": "CYX", KEY: metadata.block()},
        **resolution_tags(metadata),
    )
    if place is None:
        raise BeamforgeError(f"{path}: tifffile did not lay the stack out in one piece")
    row_bytes = stack.sizes["x"] * stack.dtype.itemsize
    with path.open("r+b") as file:

        def store(channel: int, row: int, rows: NDArray[Any]) -> None:
            file.seek(place[0] + (channel * stack.sizes["y"] + row) * row_bytes)
            file.write(np.ascontiguousarray(rows).tobytes())

        yield store


@contextlib.contextmanager
def _zarr_rows(path: Path, stack: xr.DataArray, metadata: Metadata) -> Iterator[WriteRows]:
    import zarr

    scales = multiscales(("c", "y", "x"), metadata.pixel_size, metadata.pixel_size_unit, path.stem)
    attributes: dict[str, Any] = {"ome": {"version": VERSION, "multiscales": scales}, KEY: metadata.block()}
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    array = group.create_array(
        "0",
        shape=stack.shape,
        chunks=(1, *(min(1024, side) for side in stack.shape[1:])),
        dtype=stack.dtype,
        dimension_names=("c", "y", "x"),
    )

    def store(channel: int, row: int, rows: NDArray[Any]) -> None:
        array[channel, row : row + len(rows)] = rows

    yield store
