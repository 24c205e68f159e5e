"""PNG and JPEG pictures."""

from __future__ import annotations

import json
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_size, damage_named
from beamforge.io.image import Image
from beamforge.io.lazy import WindowedArray, as_dask
from beamforge.io.metadata import KEY, Metadata
from beamforge.io.reader import Reader
from beamforge.io.tiff_metadata import pixel_size_from_resolution

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by PNG's colour type."""

_PALETTE = 3


class _Picture(WindowedArray):
    """A picture; it is decoded as a whole, as its format demands."""

    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Decode and cut."""
        with damage_named(self.path, "a picture", Pillow.DecompressionBombError):
            return self._decode()[tuple(slice(a, b) for a, b in ranges)]

    def _decode(self) -> NDArray[Any]:
        raise NotImplementedError


class _Png(_Picture):
    def _decode(self) -> NDArray[Any]:
        import imagecodecs

        data = self.path.read_bytes()
        _, _, bits, colour = _png_header(self.path, data)
        if colour == _PALETTE or bits < 8:
            # imagecodecs expands palettes and few bits to colours and greys; Pillow keeps the numbers.
            with warnings.catch_warnings(), Pillow.open(self.path, formats=("PNG",)) as picture:
                warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
                return np.asarray(picture)
        return np.asarray(imagecodecs.png_decode(data)).reshape(self.shape)


class _Jpeg(_Picture):
    def _decode(self) -> NDArray[Any]:
        import imagecodecs

        return np.asarray(imagecodecs.jpeg_decode(self.path.read_bytes())).reshape(self.shape)


def _png_header(path: Path, data: bytes) -> tuple[int, int, int, int]:
    """Read width, height, bit depth and colour type."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise InputError(f"{path} is truncated inside the PNG header ({len(data)} bytes); copy it again")
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    return width, height, bits, colour


class PngReader(Reader, name="PNG", suffixes=(".png",)):
    """Grey, colour and palette PNG; 16 bits stay 16 bits."""

    cap = EAGER_CAP

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know the PNG signature."""
        return head.startswith(_PNG)

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read the header only."""
        with path.open("rb") as stream:
            width, height, bits, colour = _png_header(path, stream.read(64))
        if colour not in _SAMPLES:
            raise InputError(f"{path} has the PNG colour type {colour}, which does not exist; it is damaged")
        samples = _SAMPLES[colour]
        shape = (height, width) if samples == 1 else (height, width, samples)
        dtype = np.dtype(np.uint16 if bits == 16 else bool if bits == 1 and colour != _PALETTE else np.uint8)
        check_size(str(path), shape, dtype, max_bytes)
        _check_end(path, b"IEND\xaeB`\x82")
        palette, pixel_size, ours = _png_extras(path)
        array = as_dask(_Png(path, shape, dtype), shape)
        if samples == 2:
            array = array[..., 0]
        return Image(
            data=array,
            axes=("y", "x", "s") if samples > 2 else ("y", "x"),
            palette=palette,
            indexed=colour == _PALETTE,
            classes=ours.classes if ours else None,
            pixel_size=ours.pixel_size if ours else pixel_size,
            pixel_size_unit=ours.pixel_size_unit if ours else "µm",
            attrs={"provenance": ours.provenance} if ours and ours.provenance else {},
        )


def _png_extras(path: Path) -> tuple[NDArray[np.uint8] | None, float | None, Metadata | None]:
    """Read palette, pixel size in µm and our own block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        try:
            with Pillow.open(path, formats=("PNG",)) as picture:
                found = picture.getpalette("RGB") if picture.mode == "P" else None
                dpi, text = picture.info.get("dpi"), picture.info.get(KEY)
        except Pillow.DecompressionBombError:
            return None, None, None
    palette = np.asarray(found, dtype=np.uint8).reshape(-1, 3) if found else None
    size = pixel_size_from_resolution((float(dpi[0]), float(dpi[1])), 25400.0) if dpi else None
    return palette, size, Metadata.read(json.loads(text), str(path)) if text else None


def _check_end(path: Path, end: bytes) -> None:
    """Refuse a picture that lacks its last bytes."""
    with path.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 1024))
        if end not in stream.read():
            raise InputError(f"{path} is truncated: it lacks its end mark; copy it again")


class JpegReader(Reader, name="JPEG", suffixes=(".jpg", ".jpeg")):
    """Grey and colour JPEG. Compression has changed its values; they suit images, not labels."""

    cap = EAGER_CAP
    damage = (Pillow.DecompressionBombError,)

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know the JPEG signature."""
        return head.startswith(_JPEG)

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read the header only."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(path, formats=("JPEG", "MPO")) as picture:
                (width, height), mode = picture.size, picture.mode
        if mode not in ("L", "RGB"):
            raise InputError(f"{path} is a JPEG of colour mode {mode}, expected grey or RGB; convert it to PNG")
        shape = (height, width) if mode == "L" else (height, width, 3)
        check_size(str(path), shape, np.dtype(np.uint8), max_bytes)
        _check_end(path, b"\xff\xd9")
        array = as_dask(_Jpeg(path, shape, np.dtype(np.uint8)), shape)
        return Image(data=array, axes=("y", "x") if mode == "L" else ("y", "x", "s"), attrs={"lossy": True})
