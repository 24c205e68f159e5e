"""Arrays in files that are read window by window, as dask arrays."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray

_CHUNK_BYTES = 4 * 2**20


class WindowedArray(ABC):
    """An array of which windows can be read; it holds no open file and no pixels, so it can travel to workers."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path = path
        self.shape = shape
        self.dtype = dtype.newbyteorder("=")

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @abstractmethod
    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read ``start:stop`` along each axis, in any byte order."""

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read by integers and slices: the smallest window that holds them, then what is asked of it."""
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in keys:
            at = keys.index(Ellipsis)
            keys = (*keys[:at], *[slice(None)] * (self.ndim - len(keys) + 1), *keys[at + 1 :])
        keys = (*keys, *[slice(None)] * (self.ndim - len(keys)))
        ranges: list[tuple[int, int]] = []
        rest: list[slice | int] = []
        for k, side in zip(keys, self.shape, strict=True):
            if isinstance(k, slice):
                indices = range(*k.indices(side))
                low, high = (min(indices[0], indices[-1]), max(indices[0], indices[-1]) + 1) if indices else (0, 0)
                ranges.append((low, high))
                rest.append(slice(None, None, indices.step))
            else:
                index = int(k) % side
                ranges.append((index, index + 1))
                rest.append(0)
        if any(low == high for low, high in ranges):
            return np.empty([h - lo for lo, h in ranges], self.dtype)[tuple(rest)]
        return np.asarray(self.window(tuple(ranges))).astype(self.dtype, copy=False)[tuple(rest)]


def row_chunks(shape: tuple[int, ...], itemsize: int, rows_at_once: int, row_axis: int) -> tuple[Any, ...]:
    """Choose chunks of one plane and as many rows as make a few MiB, in multiples of what is stored together."""
    row_bytes = max(1, math.prod(shape[row_axis + 1 :]) * itemsize)
    bands = max(1, _CHUNK_BYTES // (row_bytes * rows_at_once))
    rows = min(shape[row_axis], bands * rows_at_once)
    return (*[1] * row_axis, rows, *shape[row_axis + 1 :])


def as_dask(array: WindowedArray, chunks: tuple[Any, ...], *identity: Any) -> da.Array:
    """Wrap a windowed array for dask; the same file, unchanged, gives the same keys."""
    stat = array.path.stat()
    token = tokenize(str(array.path), stat.st_mtime_ns, stat.st_size, array.shape, str(array.dtype), *identity)
    name = f"{type(array).__name__.lower()}-{token}"
    meta = np.empty((0,) * array.ndim, dtype=array.dtype)
    wrapped: da.Array = da.from_array(array, chunks=chunks, name=name, lock=False, asarray=True, fancy=False, meta=meta)
    return wrapped
