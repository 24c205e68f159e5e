"""Opening a measured stack, whatever it is stored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.io.folder import open_folder, open_pattern
from beamforge.io.image import to_stack
from beamforge.io.pattern import is_pattern
from beamforge.io.reader import reader_for, recognise
from beamforge.stack import Channel, as_stack, channels_of


def split_inner(path: str | Path) -> tuple[Path, str | None]:
    """Split ``scan.nxs:/entry/data`` into the file and the path inside it."""
    text = str(path)
    outer, colon, inner = text.rpartition(":/")
    if colon and len(outer) > 1 and not Path(text).exists():
        return Path(outer), "/" + inner
    return Path(text), None


def open_stack(
    path: str | Path,
    *,
    dataset: str | int | None = None,
    channels: Sequence[Channel | Mapping[str, Any] | str] | None = None,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
    units: str | None = None,
    allow_missing: bool = False,
    max_bytes: int | None = None,
) -> xr.DataArray:
    """Open a stack without reading its pixels.

    The format is recognised by content. Values keep their type; only the byte order becomes the machine's.

    Parameters
    ----------
    path
        A file (TIFF, PNG, JPEG, HDF5/NeXus, FITS, NPY), a Zarr folder, a folder of images, or a pattern such as
        ``"scan/{mode}_{autocorrelation_length}nm.tif"``; ``file.h5:/entry/data`` names a dataset inside.
    dataset
        Which image inside a file that holds several: a path (HDF5, Zarr), a name or number (FITS), a number (TIFF).
    channels
        What the channels are, replacing what the files say; a text is a mode.
    pixel_size, pixel_size_unit
        Side of a pixel, replacing what the files say.
    units
        Unit of the values, replacing what the files say.
    allow_missing
        Accept that files of a pattern's full grid are missing.
    max_bytes
        Most bytes the array may declare; by default 64 GiB (a Zarr may be larger, a PNG or JPEG up to 4 GiB).

    Returns
    -------
    stack
        (channel, y, x), backed by dask; coordinates say what the channels are, ``attrs`` hold pixel size, units,
        source and what else the file says.

    Raises
    ------
    InputError
        If there is no such file, it is damaged or too large, files of a pattern are missing or differ, or several
        images could be meant.
    """
    inner = None if dataset is None else str(dataset)
    if is_pattern(str(path)):
        stack = open_pattern(str(path), inner, allow_missing, max_bytes)
    else:
        place, inside = split_inner(path)
        inner = inner if inside is None else inside
        if not place.exists():
            raise InputError(f"{place}: no such file or folder; check the path")
        if place.is_dir() and recognise(place) is None:
            stack = open_folder(place, inner, max_bytes)
        else:
            stack = to_stack(reader_for(place).open(place, inner, max_bytes), str(path))
    return _overridden(stack.rename(None), channels, pixel_size, pixel_size_unit, units)


def _overridden(
    stack: xr.DataArray,
    channels: Sequence[Channel | Mapping[str, Any] | str] | None,
    pixel_size: float | None,
    pixel_size_unit: str,
    units: str | None,
) -> xr.DataArray:
    attrs = dict(stack.attrs)
    if pixel_size is not None:
        if not (np.isfinite(pixel_size) and pixel_size > 0):
            raise InputError(f"pixel_size is {pixel_size}, expected a positive length")
        attrs |= {"pixel_size": float(pixel_size), "pixel_size_unit": pixel_size_unit}
    if units is not None:
        attrs["units"] = units
    if channels is None:
        return stack.assign_attrs(attrs)
    try:
        records = [
            c if isinstance(c, Channel) else Channel.model_validate({"mode": c} if isinstance(c, str) else c)
            for c in channels
        ]
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"channels: {'.'.join(map(str, first['loc']))}: {first['msg']}; a channel has a mode (text) and numbers"
        ) from error
    if len(records) != stack.sizes["channel"]:
        raise InputError(
            f"{len(records)} channels are described but {attrs.get('source')} has {stack.sizes['channel']}: "
            f"{', '.join(c.label for c in channels_of(stack)[:8])}"
        )
    return as_stack(stack.data, records, **attrs)
