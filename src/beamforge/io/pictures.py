"""Pictures such as micrographs: single images of any size and mode, brought to one kind."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.io.folder import image_files
from beamforge.io.pattern import natural_key
from beamforge.io.stacks import open_stack
from beamforge.stack import Channel, as_stack, channels_of

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue in the luminance (ITU-R BT.709)."""
_COLOURS = ("red", "green", "blue")

Sources = str | Path | Sequence[str | Path]


def picture_files(sources: Sources) -> list[Path]:
    """List the files of pictures.

    Parameters
    ----------
    sources
        A folder, a pattern with ``*`` or ``?``, a file, or a list of these.

    Returns
    -------
    The files of each source in natural order.

    Raises
    ------
    InputError
        If a source gives no file, or a folder holds several kinds of images (masks may lie beside their images).
    """
    if not isinstance(sources, str | Path):
        if not sources:
            raise InputError("an empty list of images; name a folder, a pattern or files")
        return [file for source in sources for file in picture_files(source)]
    place = Path(sources)
    if place.is_dir():
        files = image_files(place)
        kinds = Counter(file.suffix.lower() for file in files)
        if len(kinds) > 1:
            listing = ", ".join(f"{count} {suffix}" for suffix, count in kinds.most_common())
            first = kinds.most_common(1)[0][0]
            raise InputError(f"{place} holds several kinds of images ({listing}); choose with '{place}/*{first}'")
        if not files:
            raise InputError(f"{place} is a folder without images that can be read")
        return files
    if place.is_file():
        return [place]
    files = sorted((Path(name) for name in glob.glob(str(sources))), key=lambda file: natural_key(file.name))
    if not files:
        raise InputError(f"{sources}: no such image, folder or pattern of images")
    return files


def open_picture(path: str | Path, colour: Literal["grey", "rgb"] = "grey") -> xr.DataArray:
    """Read one picture as shares of full scale: 0 is black, 1 white, whatever its bits per pixel.

    Parameters
    ----------
    path
        An image of 8 or 16 bits, grey or colour (an alpha channel is left out), or of floats, which stay as they are.
    colour
        ``"grey"`` makes one channel, the luminance of colours; ``"rgb"`` three, equal ones of a grey picture.

    Returns
    -------
    float32 (channel, y, x); ``attrs`` hold the source.

    Raises
    ------
    InputError
        If it cannot be read, or is neither grey nor colour.
    """
    stack = open_stack(path)
    values = _full_scale(np.asarray(stack.values), path)
    modes = tuple(channel.mode for channel in channels_of(stack))
    if len(modes) != 1 and modes != _COLOURS:
        raise InputError(
            f"{path} has {len(modes)} channels ({', '.join(modes[:4])}), a picture is grey or has red, green and blue"
        )
    if colour == "grey":
        if len(modes) == 3:
            values = np.tensordot(_LUMINANCE, values, axes=1)[None].astype(np.float32)
        channels = [Channel(mode="intensity")]
    else:
        values = np.broadcast_to(values, (3, *values.shape[1:]))
        channels = [Channel(mode=name) for name in _COLOURS]
    kept = {key: stack.attrs[key] for key in ("pixel_size", "pixel_size_unit") if key in stack.attrs}
    return as_stack(np.ascontiguousarray(values), channels, units="share of full scale", source=str(path), **kept)


def open_pictures(sources: Sources, colour: Literal["grey", "rgb"] = "grey") -> list[xr.DataArray]:
    """Read all pictures of a folder, pattern or list; see `picture_files` and `open_picture`."""
    return [open_picture(file, colour) for file in picture_files(sources)]


def _full_scale(values: np.ndarray, path: str | Path) -> Float32:
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    if values.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{path} holds {values.dtype} values, whose full scale is unknown; convert it to 8 or 16 bits or floats"
        )
    return (values / np.iinfo(values.dtype).max).astype(np.float32)
