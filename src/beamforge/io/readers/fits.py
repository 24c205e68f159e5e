"""FITS images, scaled ones and several in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_dtype, check_size, damage_named
from beamforge.io.image import Coordinate, Image
from beamforge.io.lazy import WindowedArray, as_dask, row_chunks
from beamforge.io.reader import Reader
from beamforge.io.units import conversion, length_unit

_IMAGES = (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)


class _FitsArray(WindowedArray):
    """One image extension; BZERO and BSCALE are applied to what is read."""

    def __init__(self, path: Path, number: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().__init__(path, shape, dtype)
        self.number = number

    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read a window; the file is opened for each, which costs about a millisecond."""
        with damage_named(self.path, "FITS", fits.VerifyError), fits.open(self.path, memmap=False) as file:
            # A section is read from the file by itself; astropy scales none that are memory-mapped.
            return np.array(file[self.number].section[tuple(slice(a, b) for a, b in ranges)])


class FitsReader(Reader, name="FITS", suffixes=(".fits", ".fit", ".fts")):
    """The only image, the one named by `dataset`, or several alike as channels named after their extension."""

    damage = (fits.VerifyError,)

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know the first card."""
        return head.startswith(b"SIMPLE  =")

    def contents(self, path: Path) -> tuple[str, ...]:
        """List the image extensions if there are several."""
        with fits.open(path, memmap=True) as file:
            found = _image_numbers(file)
            return tuple(_describe(file, i) for i in found) if len(found) > 1 else ()

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read headers only."""
        with fits.open(path, memmap=True) as file:
            numbers = _choose(path, file, dataset)
            parts = [self._part(path, file, number, max_bytes) for number in numbers]
            header = file[numbers[0]].header
            names = tuple(file[number].name.lower() for number in numbers)
        size, unit = _pixel_size(header)
        leading = parts[0].ndim - 2
        axes = (*(f"axis_{i}" for i in range(leading)), "y", "x")
        data = parts[0]
        coordinates: tuple[Coordinate, ...] = ()
        if len(parts) > 1:
            check_size(str(path), (len(parts), *data.shape), data.dtype, max_bytes)
            data, axes = da.stack(parts), ("extension", *axes)
            if all(names) and len(set(names)) == len(names):
                coordinates = (Coordinate("mode", "extension", names),)
        units = header.get("BUNIT")
        return Image(
            data=data,
            axes=axes,
            coordinates=coordinates,
            pixel_size=size,
            pixel_size_unit=unit,
            units=str(units) if units else None,
        )

    def _part(self, path: Path, file: fits.HDUList, number: int, max_bytes: int) -> da.Array:
        hdu = file[number]
        source = f"{path}, extension {number}"
        shape, dtype = tuple(int(side) for side in hdu.shape), _type_read(hdu.header)
        check_dtype(source, dtype)
        check_size(source, shape, dtype, max_bytes)
        if len(shape) < 2:
            raise InputError(f"{source} has the shape {shape}, expected (…, y, x)")
        place = hdu.fileinfo()
        length = path.stat().st_size
        needed = place["datLoc"] + (hdu.size if not isinstance(hdu, fits.CompImageHDU) else 0)
        if needed > length:
            raise InputError(f"{source} is truncated: {length} of {needed} bytes; copy the file again")
        chunks = row_chunks(shape, dtype.itemsize, 1, len(shape) - 2)
        if isinstance(hdu, fits.CompImageHDU):
            check_size(source, shape[-2:], dtype, EAGER_CAP)
        return as_dask(_FitsArray(path, number, shape, dtype), chunks, number)


def _type_read(header: fits.Header) -> np.dtype:
    """Give the type that values have after scaling, by the rules of astropy: unsigned integers stay integers."""
    bits, zero, scale = header["BITPIX"], header.get("BZERO", 0), header.get("BSCALE", 1)
    plain = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}[bits]
    if scale == 1 and bits in (16, 32, 64) and zero == 2 ** (bits - 1):
        return np.dtype(plain.replace("i", "u"))
    if scale == 1 and bits == 8 and zero == -128:
        return np.dtype("i1")
    if (zero == 0 and scale == 1 and not (bits > 0 and "BLANK" in header)) or bits < 0:
        return np.dtype(plain)
    return np.dtype("f4" if bits <= 16 else "f8")


def _image_numbers(file: fits.HDUList) -> list[int]:
    return [
        i for i, hdu in enumerate(file) if isinstance(hdu, _IMAGES) and hdu.header.get("NAXIS", 0) >= 2 and hdu.size
    ]


def _describe(file: fits.HDUList, number: int) -> str:
    hdu = file[number]
    return f"{number} {hdu.name or 'unnamed'}: {'×'.join(map(str, hdu.shape))} {_type_read(hdu.header)}"


def _choose(path: Path, file: fits.HDUList, dataset: str | None) -> list[int]:
    found = _image_numbers(file)
    listing = "; ".join(_describe(file, i) for i in found)
    if not found:
        raise InputError(f"{path} holds no image (perhaps tables only); choose another file")
    if dataset is not None:
        named = [i for i in found if dataset in (str(i), file[i].name) or dataset.upper() == file[i].name]
        if not named:
            raise InputError(f"{path} has no image {dataset!r}; it holds {listing}")
        return named[:1]
    kinds = {(file[i].shape, _type_read(file[i].header)) for i in found}
    if len(kinds) > 1:
        raise InputError(f"{path} holds images that differ, choose one with dataset=: {listing}")
    return found


def _pixel_size(header: fits.Header) -> tuple[float | None, str]:
    """Read CDELT where its unit is a length; degrees on the sky are no pixel size of a detector."""
    across, down = header.get("CDELT1"), header.get("CDELT2")
    unit = length_unit(header.get("CUNIT1"))
    if not across or not down or unit is None or length_unit(header.get("CUNIT2", unit)) is None:
        return None, "µm"
    ratio = abs(down * (conversion(header.get("CUNIT2", unit), unit) or 1.0) / across)
    return (abs(float(across)), unit) if abs(ratio - 1) < 1e-3 else (None, "µm")
