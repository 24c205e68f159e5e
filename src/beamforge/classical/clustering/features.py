"""Spectra of pixels as columns of a matrix that is read block by block and never copied as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64

_BLOCK_VALUES = 1 << 21


@dataclass(frozen=True)
class Features:
    """A matrix (feature, pixel), float32 in blocks whatever the array behind it is.

    Attributes
    ----------
    values
        (channel, pixel), any real type; a view of the stack.
    channels
        Which rows count; None for all.
    pixels
        Which columns count; None for all.
    positions
        Further features (2, column of `values`), such as scaled coordinates; None for none.
    """

    values: NDArray[Any]
    channels: NDArray[np.intp] | None = None
    pixels: NDArray[np.intp] | None = None
    positions: Float32 | None = None

    @property
    def size(self) -> int:
        """Number of features."""
        channels = len(self.values) if self.channels is None else len(self.channels)
        return channels + (0 if self.positions is None else len(self.positions))

    @property
    def count(self) -> int:
        """Number of pixels."""
        return self.values.shape[1] if self.pixels is None else len(self.pixels)

    def block(self, part: slice) -> Float32:
        """Give the columns of a slice (feature, pixel): a view where nothing has to be selected or converted."""
        if self.pixels is not None:
            return self.take(np.arange(*part.indices(self.count)))
        rows = self.values[:, part]
        if self.channels is not None:
            rows = rows[self.channels]
        return self._completed(rows, part)

    def take(self, indices: NDArray[np.intp]) -> Float32:
        """Copy some columns (feature, index)."""
        columns = indices if self.pixels is None else self.pixels[indices]
        chosen = np.take(self.values, columns, axis=1)
        return self._completed(chosen if self.channels is None else chosen[self.channels], columns)

    def _completed(self, rows: NDArray[Any], columns: Any) -> Float32:
        rows = rows.astype(np.float32, copy=False)
        return rows if self.positions is None else np.concatenate([rows, self.positions[:, columns]])

    def slices(self, per_pixel: int | None = None) -> Iterator[slice]:
        """Cut the pixels into blocks of a few MiB, for features of this many values each."""
        step = max(256, _BLOCK_VALUES // (per_pixel or self.size))
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))

    def batches(self, indices: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """Cut a list of pixels into parts whose columns take a few MiB."""
        step = max(256, _BLOCK_VALUES // self.size)
        for start in range(0, len(indices), step):
            yield indices[start : start + step]

    @cached_property
    def mean(self) -> Float64:
        """Mean of every feature."""
        total = np.zeros(self.size)
        for part in self.slices():
            block = self.block(part)
            total += block @ np.ones(block.shape[1], dtype=np.float32)
        return total / self.count
