"""What a reader gives: an array with named axes and all that the file says about it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.stack import CHANNEL_UNITS, Channel, Classes, as_stack

COLOURS = ("red", "green", "blue")

_TAKEN = {"x": "x_position", "y": "y_position", "mode": "mode_number", "channel": "channel_number"}
"""Names that a numeric channel coordinate may not have, and what they become."""


@dataclass(frozen=True)
class Coordinate:
    """Numbers or names along an axis; names become the channels' modes."""

    name: str
    axis: str
    values: tuple[float, ...] | tuple[str, ...]
    unit: str = ""


@dataclass(frozen=True)
class Image:
    """An array as a file holds it.

    ``axes`` names the dimensions of ``data``; ``y`` and ``x`` are among them, ``s`` is the samples of a colour image
    (red, green, blue and maybe alpha). ``palette`` (entry, 3) colours the values; only if ``indexed`` are they mere
    entries of it and no intensities (ImageJ stores grey values with a palette for display).
    """

    data: da.Array
    axes: tuple[str, ...]
    coordinates: tuple[Coordinate, ...] = ()
    channels: tuple[Channel, ...] | None = None
    classes: Classes | None = None
    palette: NDArray[np.uint8] | None = None
    indexed: bool = False
    pixel_size: float | None = None
    pixel_size_unit: str = "µm"
    units: str | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each axis."""
        return dict(zip(self.axes, self.data.shape, strict=True))

    @property
    def colour(self) -> bool:
        """Whether pixels are colours."""
        return "s" in self.axes


def _numbers_and_mode(image: Image, index: Mapping[str, int]) -> Channel:
    modes: list[str] = []
    numbers: dict[str, float] = {}
    for axis, place in index.items():
        along = [c for c in image.coordinates if c.axis == axis]
        for coordinate in along:
            value = coordinate.values[place]
            if isinstance(value, str):
                modes.append(value)
            else:
                numbers[_TAKEN.get(coordinate.name, coordinate.name)] = value
        if not along and axis == "s":
            modes.append(COLOURS[place])
        elif not along and image.sizes[axis] > 1:
            numbers[axis if axis in ("t", "c") else "z"] = float(place)
    return Channel(mode=" ".join(modes) or "intensity", **numbers)


def to_stack(image: Image, source: str) -> xr.DataArray:
    """Lay an image out as (channel, y, x); every axis but y and x goes into the channels, alpha is left out.

    Raises
    ------
    InputError
        If the axes do not make a stack.
    """
    data, axes = image.data, image.axes
    if image.indexed:
        raise InputError(
            f"{source} is a palette image, its values are entries of a colour table and no intensities; "
            "read it with open_labels, or convert it to grey values"
        )
    if image.colour:
        data = data[(*[slice(None)] * axes.index("s"), slice(len(COLOURS)))]
    leading = tuple(axis for axis in axes if axis not in ("y", "x"))
    order = [axes.index(axis) for axis in (*leading, "y", "x")]
    sizes = [data.shape[axes.index(axis)] for axis in leading]
    data = data.transpose(order)
    data = data.reshape((math.prod(sizes), *data.shape[-2:])) if len(leading) != 1 else data
    channels = image.channels
    if channels is None:
        places = itertools.product(*(range(size) for size in sizes))
        channels = tuple(_numbers_and_mode(image, dict(zip(leading, place, strict=True))) for place in places)
    if data.dtype.kind == "b":
        data = data.astype(np.uint8)
    stack = as_stack(
        data,
        channels,
        pixel_size=image.pixel_size,
        pixel_size_unit=image.pixel_size_unit,
        units=image.units,
        source=source,
        **image.attrs,
    )
    for coordinate in image.coordinates:
        name = _TAKEN.get(coordinate.name, coordinate.name)
        if coordinate.unit and name in stack.coords and name not in CHANNEL_UNITS:
            stack[name].attrs["units"] = coordinate.unit
    return stack
