"""The spectra of a stack that can be clustered: without dead bins and without pixels that lack a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.classical.clustering.features import Features
from beamforge.errors import InputError
from beamforge.stack import channels_of

_SAMPLE = 4096
_LEAST_FINITE = 0.5
_BAND_BYTES = 256 << 20


@dataclass(frozen=True)
class Spectra:
    """A stack read as spectra.

    Attributes
    ----------
    stack
        (channel, y, x).
    channels
        Numbers of the channels that count.
    left_out
        Why other channels do not count, by number.
    sample
        Randomly drawn usable pixels.
    positions
        Scaled coordinates (2, pixel of the image) as further features; None for none.
    in_memory
        Whether the whole stack is in memory.
    """

    stack: xr.DataArray
    channels: NDArray[np.intp]
    left_out: dict[int, str]
    sample: Features
    positions: Float32 | None
    in_memory: bool

    @classmethod
    def of(
        cls, stack: xr.DataArray, rng: Generator, *, position_weight: float = 0.0, memory_bytes: int = 4 << 30
    ) -> Self:
        """Look through a stack once.

        Parameters
        ----------
        stack
            (channel, y, x). A lazy one is loaded if it takes at most `memory_bytes`, else read in bands of rows.
        rng
            Draws the sample.
        position_weight
            How much the place of a pixel counts: at 1, the coordinates vary as much as all channels together.
        memory_bytes
            Most bytes a lazy stack may take when loaded.

        Raises
        ------
        InputError
            If no channel or no pixel is usable.
        """
        if position_weight < 0:
            raise InputError(f"the weight of the position is {position_weight}, expected 0 or more")
        lazy = stack.chunks is not None
        in_memory = not lazy or stack.nbytes <= memory_bytes
        if lazy and in_memory:
            stack = stack.compute()
        counts, low, high = _ranges(stack)
        left_out = _left_out(stack, counts, low, high)
        channels = np.array([i for i in range(len(stack)) if i not in left_out], dtype=np.intp)
        if not len(channels):
            raise InputError(f"no channel can be clustered by: channel 0 {left_out[0]}; check the stack")
        plain = cls(stack, channels, left_out, Features(np.empty((0, 0))), None, in_memory)
        drawn, places = plain._draw(rng)
        positions = None
        if position_weight > 0:
            total_variance = float(drawn.var(axis=1, dtype=np.float64).sum())
            positions = _positions(stack.sizes["y"], stack.sizes["x"], position_weight**2 * total_variance)
        sample = Features(drawn if positions is None else np.concatenate([drawn, positions[:, places]]))
        return cls(stack, channels, left_out, sample, positions, in_memory)

    def bands(self) -> Iterator[tuple[Features, NDArray[np.intp]]]:
        """Give the spectra of usable pixels and their places in the image: all at once, or in bands of rows."""
        width = self.stack.sizes["x"]
        for start, block in _bands(self.stack, self.stack.sizes["y"] if self.in_memory else None):
            finite = np.ones(block.shape[1], dtype=bool)
            if block.dtype.kind == "f":
                for channel in self.channels:
                    finite &= np.isfinite(block[channel])
            places = np.flatnonzero(finite)
            yield (
                Features(
                    block,
                    None if len(self.channels) == len(block) else self.channels,
                    None if finite.all() else places,
                    None if self.positions is None else self.positions[:, start * width :][:, : block.shape[1]],
                ),
                start * width + places,
            )

    def _draw(self, rng: Generator) -> tuple[Float32, NDArray[np.intp]]:
        """Draw usable pixels evenly from all bands."""
        pixels = self.stack.sizes["y"] * self.stack.sizes["x"]
        parts, places = [], []
        for features, where in self.bands():
            share = min(features.count, -(-_SAMPLE * features.values.shape[1] // pixels))
            chosen = np.sort(rng.choice(features.count, share, replace=False)) if share else np.empty(0, np.intp)
            parts.append(features.take(chosen))
            places.append(where[chosen])
        drawn = np.concatenate(parts, axis=1)
        if not drawn.shape[1]:
            raise InputError("no pixel is finite in every channel that counts; nothing can be clustered")
        return drawn, np.concatenate(places)


def _bands(stack: xr.DataArray, rows: int | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
    """Give the first row and (channel, pixel) of each band; bands end where chunks of a lazy stack do."""
    height, width = stack.sizes["y"], stack.sizes["x"]
    chunk = stack.chunks[1][0] if stack.chunks else 1
    if rows is None:
        fitting = max(1, _BAND_BYTES // (len(stack) * width * stack.dtype.itemsize))
        rows = max(chunk, fitting // chunk * chunk)
    for start in range(0, height, rows):
        yield start, np.asarray(stack.variable[:, start : start + rows].data).reshape(len(stack), -1)


def _ranges(stack: xr.DataArray) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Count the finite values of each channel and find the smallest and largest."""
    counts = np.zeros(len(stack), dtype=np.int64)
    low, high = np.full(len(stack), np.inf), np.full(len(stack), -np.inf)
    for _, block in _bands(stack):
        for channel, plane in enumerate(block):
            values = plane[np.isfinite(plane)]
            if len(values):
                counts[channel] += len(values)
                low[channel] = min(low[channel], float(values.min()))
                high[channel] = max(high[channel], float(values.max()))
    return counts, low, high


def _left_out(
    stack: xr.DataArray, counts: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> dict[int, str]:
    """Say which channels tell pixels apart by nothing."""
    found = {}
    for number, channel in enumerate(channels_of(stack)):
        share = counts[number] / (stack.sizes["y"] * stack.sizes["x"])
        if share < _LEAST_FINITE:
            found[number] = f"({channel.label}) is finite in only {100 * share:.3g} % of the pixels"
        elif low[number] == high[number]:
            found[number] = f"({channel.label}) is {low[number]:g} everywhere"
    return found


def _positions(height: int, width: int, variance: float) -> Float32:
    """Give y and x (2, pixel) around 0, with one scale and this variance in sum."""
    y, x = np.indices((height, width), dtype=np.float64).reshape(2, -1)
    places = np.stack([y - (height - 1) / 2, x - (width - 1) / 2])
    scale = np.sqrt(variance / max(float(places.var(axis=1).sum()), 1.0))
    found: Float32 = (scale * places).astype(np.float32)
    return found
