"""Stacks and volumes as a sequence of images that are read window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.segmentation.channels import check_channels
from beamforge.segmentation.tiling import Span
from beamforge.stack import Channel, channels_of


@dataclass(frozen=True)
class Source:
    """Images (channel, y, x), one or a volume of them, that may be far larger than memory.

    Attributes
    ----------
    stack
        Dims y and x, and channel unless there is only one.
    plane_dim
        The further dim that counts the images of a volume; None for a stack.
    """

    stack: xr.DataArray
    plane_dim: str | None

    @property
    def height(self) -> int:
        """Size of each image along y in px."""
        return int(self.stack.sizes["y"])

    @property
    def width(self) -> int:
        """Size of each image along x in px."""
        return int(self.stack.sizes["x"])

    @property
    def planes(self) -> int:
        """Number of images."""
        return 1 if self.plane_dim is None else int(self.stack.sizes[self.plane_dim])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the labels: (y, x), or (z, y, x) for a volume."""
        size = (self.height, self.width)
        return size if self.plane_dim is None else (self.planes, *size)

    def window(self, plane: int, row: Span, column: Span) -> Float32:
        """Read what a tile sees, float32 (channel, y, x); beyond the image it goes on by mirroring."""
        place: dict[str, int | slice] = {"y": slice(row.start, row.stop), "x": slice(column.start, column.stop)}
        if self.plane_dim is not None:
            place[self.plane_dim] = plane
        part = self.stack.variable[place]
        values = np.asarray(part.transpose("channel", "y", "x", missing_dims="ignore").values, dtype=np.float32)
        values = values.reshape(-1, *values.shape[-2:])
        missing = (row.stop - row.start - values.shape[1], column.stop - column.start - values.shape[2])
        if any(missing):
            values = np.pad(values, [(0, 0), (0, missing[0]), (0, missing[1])], mode="symmetric")
        return values


def as_source(stack: xr.DataArray, channels: Sequence[Channel]) -> Source:
    """Check a stack or volume against the channels a predictor takes.

    Parameters
    ----------
    stack
        (channel, y, x), (z, channel, y, x), or, for a predictor of one channel, (z, y, x). A stack whose channels
        are the slices of one mode, as multi-page files are read, counts as (z, y, x) too.
    channels
        What the predictor takes.

    Raises
    ------
    InputError
        If dims or channels do not fit.
    """
    dims = {str(dim) for dim in stack.dims}
    if dims not in ({"channel", "y", "x"}, {"z", "channel", "y", "x"}, {"z", "y", "x"}):
        raise InputError(
            f"the stack has dims {tuple(stack.dims)}, expected (channel, y, x), (z, channel, y, x) or (z, y, x)"
        )
    if min(stack.sizes.values()) < 1:
        raise InputError(f"the stack has no pixels: its sizes are {dict(stack.sizes)}")
    if "channel" not in dims:
        # Without channel coordinates only their number can be wrong.
        check_channels(channels, channels[:1])
        return Source(stack, "z")
    if len(channels) == 1 and _is_volume(stack):
        check_channels(channels, channels_of(stack)[:1])
        return Source(stack, "channel")
    check_channels(channels, channels_of(stack))
    return Source(stack, "z" if "z" in dims else None)


def _is_volume(stack: xr.DataArray) -> bool:
    """Whether the channels of a stack are slices: alike but for their z."""
    records = channels_of(stack)
    kinds = {(c.mode, *((name, value) for name, value in c.numbers.items() if name != "z")) for c in records}
    return "z" not in stack.dims and len(records) > 1 and len(kinds) == 1 and all("z" in c.numbers for c in records)
