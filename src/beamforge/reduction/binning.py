"""Fewer, less noisy channels of a spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamforge.errors import InputError
from beamforge.stack import Channel, as_stack, channels_of


def bin_channels(stack: xr.DataArray, factor: int) -> xr.DataArray:
    """Average groups of neighbouring channels, such as time-of-flight bins.

    Parameters
    ----------
    stack
        (channel, y, x); lazy stacks stay lazy. Channels left over at the end are dropped.
    factor
        Channels in each group.

    Returns
    -------
    stack
        (channel // factor, y, x) of float32; numeric coordinates are averaged, values that are not finite stay so.

    Raises
    ------
    InputError
        If a group would have no channel or mix modes.
    """
    count = stack.sizes["channel"]
    if not 1 <= factor <= count:
        raise InputError(f"{factor} channels a bin of a stack of {count} channels; choose 1 to {count}")
    records = channels_of(stack)
    groups = [records[start : start + factor] for start in range(0, count - factor + 1, factor)]
    mixed = next((group for group in groups if len({record.mode for record in group}) > 1), None)
    if mixed is not None:
        modes = sorted({record.mode for record in mixed})
        raise InputError(f"bins of {factor} channels would mix the modes {', '.join(modes)}; select one mode first")
    kept: Any = stack.data[: len(groups) * factor]
    data = kept.reshape(len(groups), factor, *stack.shape[1:]).mean(axis=1, dtype=np.float64).astype(np.float32)
    return as_stack(data, [_averaged(group) for group in groups], **stack.attrs)


def _averaged(group: tuple[Channel, ...]) -> Channel:
    names = {name for record in group for name in record.numbers}
    numbers = {name: [record.numbers[name] for record in group if name in record.numbers] for name in names}
    return Channel(mode=group[0].mode, **{name: float(np.mean(values)) for name, values in numbers.items()})
