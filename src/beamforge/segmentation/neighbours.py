"""Volumes for predictors that see a slice between its neighbours (2.5D)."""

from __future__ import annotations

from collections.abc import Sequence

import dask.array as da
import numpy as np
import xarray as xr

from beamforge.errors import InputError
from beamforge.stack import Channel, channels_of

NEIGHBOUR = "slice"
"""Channel coordinate of a predictor that counts slices from the one to segment."""


def with_neighbours(stack: xr.DataArray, channels: Sequence[Channel]) -> xr.DataArray:
    """Lay the neighbouring slices of a volume beside each of its slices, without reading any.

    At both ends the last slice is repeated. What a predictor without neighbours takes is given back as it is.

    Parameters
    ----------
    stack
        A volume (z, y, x), or a stack whose channels are the slices of one mode.
    channels
        What the predictor takes.

    Returns
    -------
    (z, channel, y, x), lazy.

    Raises
    ------
    InputError
        If the predictor needs neighbours and the stack is no volume of one channel.
    """
    steps = [channel.numbers.get(NEIGHBOUR) for channel in channels]
    wanted = [int(step) for step in steps if step is not None]
    if not wanted:
        return stack
    if stack.ndim != 3 or len(wanted) != len(channels):
        raise InputError(
            f"the predictor sees {len(channels)} channels with neighbouring slices, the stack has dims "
            f"{tuple(stack.dims)}; give a volume (z, y, x) of one channel"
        )
    plane = next(str(dim) for dim in stack.dims if dim not in ("y", "x"))
    if plane == "channel" and len({channel.mode for channel in channels_of(stack)}) > 1:
        raise InputError("the predictor sees neighbouring slices, but the stack's channels are of several modes")
    data = da.asarray(stack.transpose(plane, "y", "x").data)
    places = np.arange(len(data))
    beside = da.stack([data[np.clip(places + step, 0, len(data) - 1)] for step in wanted], axis=1)
    coords = {
        "mode": ("channel", np.array([channel.mode for channel in channels], dtype=object)),
        NEIGHBOUR: ("channel", np.array(wanted, dtype=np.float64)),
    }
    return xr.DataArray(beside, dims=("z", "channel", "y", "x"), coords=coords, attrs=stack.attrs)
