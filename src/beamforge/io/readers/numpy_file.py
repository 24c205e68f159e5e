"""NumPy's .npy files; pickled objects are never loaded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.guard import check_dtype, check_size, damage_named
from beamforge.io.image import Image
from beamforge.io.lazy import WindowedArray, as_dask, row_chunks
from beamforge.io.reader import Reader

_MAGIC = b"\x93NUMPY"


class _NpyArray(WindowedArray):
    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read a window through a memory map."""
        with damage_named(self.path, "NPY"):
            whole = np.load(self.path, mmap_mode="r", allow_pickle=False)
            return np.array(whole[tuple(slice(a, b) for a, b in ranges)])


class NumpyReader(Reader, name="NPY", suffixes=(".npy",)):
    """An array (…, y, x)."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Know NumPy's magic bytes."""
        return head.startswith(_MAGIC)

    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Read the header only."""
        with path.open("rb") as stream:
            version = npy.read_magic(stream)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = header(stream)
            start = stream.tell()
        check_dtype(str(path), dtype)
        check_size(str(path), shape, dtype, max_bytes)
        if len(shape) < 2:
            raise InputError(f"{path} holds an array of shape {shape}, expected (…, y, x)")
        needed = start + math.prod(shape) * dtype.itemsize
        if path.stat().st_size < needed:
            raise InputError(f"{path} is truncated: {path.stat().st_size} of {needed} bytes; copy it again")
        axes = (*(f"axis_{i}" for i in range(len(shape) - 2)), "y", "x")
        chunks = row_chunks(shape, dtype.itemsize, 1, len(shape) - 2)
        return Image(data=as_dask(_NpyArray(path, shape, dtype), chunks), axes=axes)
