"""Conventions for measured stacks and their labels.

A stack is an `xarray.DataArray` with dims ``(channel, y, x)``. Coordinates along ``channel`` say what a channel is
(``mode`` and, where they apply, numbers such as ``autocorrelation_length`` in nm or ``omega`` in degrees; NaN where a
channel has none); ``attrs`` hold ``pixel_size``, ``pixel_size_unit`` and ``units``. Labels have dims ``(y, x)`` and an
unsigned integer type, class numbers 0..K-1 and 255 for pixels to ignore; ``attrs`` hold ``class_names`` and
``class_colours``.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.errors import InputError

IGNORE = 255
"""Label of pixels that count nowhere: not in a fit, a loss, a metric or a picture."""

CHANNEL_UNITS = {
    "autocorrelation_length": "nm",
    "wavelength": "Å",
    "energy": "keV",
    "omega": "deg",
    "exposure": "s",
    "z": "px",
    "phase_step": "rad",
}
"""Units of the numeric channel coordinates."""


class Channel(BaseModel):
    """What one channel of a stack is.

    Besides ``mode``, any number of named numbers may be given, such as ``autocorrelation_length=120.0`` (units in
    `CHANNEL_UNITS`).
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, float]

    mode: str = "intensity"

    @property
    def numbers(self) -> dict[str, float]:
        """The numeric coordinates of the channel."""
        return dict(self.__pydantic_extra__)

    @property
    def label(self) -> str:
        """A short text for axes and tables, such as ``H0 120 nm``."""
        parts = [f"{value:.4g} {CHANNEL_UNITS.get(name, name)}" for name, value in self.numbers.items()]
        return " ".join([self.mode, *parts])


_FIRST_COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0",
)  # fmt: skip


def distinct_colours(count: int) -> tuple[str, ...]:
    """Give `count` colours that are told apart easily, as hexadecimal text."""
    colours = list(_FIRST_COLOURS[:count])
    for position in range(len(colours), count):
        # The golden ratio spreads hues evenly however many are asked for; lightness alternates between neighbours.
        hue = (position * 0.618033988749895) % 1.0
        red, green, blue = colorsys.hls_to_rgb(hue, (0.42, 0.62, 0.78)[position % 3], 0.65)
        colours.append(f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}")
    return tuple(colours)


class Classes(BaseModel):
    """Names and colours of the classes; the class number is the place in the list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    colours: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.names:
            raise ValueError("no class is named")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"class names repeat: {self.names}")
        if len(self.names) > IGNORE:
            raise ValueError(f"{len(self.names)} classes, at most {IGNORE} fit beside the ignore label {IGNORE}")
        if not self.colours:
            object.__setattr__(self, "colours", distinct_colours(len(self.names)))
        if len(self.colours) != len(self.names):
            raise ValueError(f"{len(self.colours)} colours for {len(self.names)} classes")
        return self

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def numbered(cls, count: int) -> Self:
        """Name `count` classes ``class 0``, ``class 1``, …"""
        return cls(names=tuple(f"class {number}" for number in range(count)))

    @property
    def rgb(self) -> np.ndarray:
        """Colours as an array (class, 3) of uint8."""
        return np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in self.colours], dtype=np.uint8)


def as_stack(
    data: Any,
    channels: Sequence[Channel | Mapping[str, Any]] | None = None,
    *,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
    units: str | None = None,
    **attrs: Any,
) -> xr.DataArray:
    """Wrap an array as a stack.

    Parameters
    ----------
    data
        NumPy or dask array, (channel, y, x) or (y, x) for a single channel.
    channels
        What each channel is; by default every mode is ``intensity`` and ``z`` counts the channels if there are
        several.
    pixel_size, pixel_size_unit
        Side of a pixel.
    units
        Unit of the values, such as ``"counts"``.
    **attrs
        More attributes to keep.

    Raises
    ------
    InputError
        If the data is neither 2D nor 3D or the number of channels differs.
    """
    if data.ndim == 2:
        data = data[None]
    if data.ndim != 3:
        raise InputError(f"a stack has dims (channel, y, x) but the array has shape {data.shape}")
    count = data.shape[0]
    if channels is None:
        channels = [Channel(z=float(i)) if count > 1 else Channel() for i in range(count)]
    records = [c if isinstance(c, Channel) else Channel.model_validate(c) for c in channels]
    if len(records) != count:
        raise InputError(f"{len(records)} channel descriptions for a stack of {count} channels")
    names = sorted({name for record in records for name in record.numbers})
    coords: dict[str, Any] = {"mode": ("channel", np.array([r.mode for r in records], dtype=object))}
    for name in names:
        values = np.array([r.numbers.get(name, math.nan) for r in records], dtype=np.float64)
        coords[name] = ("channel", values, {"units": CHANNEL_UNITS.get(name, "")})
    if pixel_size is not None:
        attrs |= {"pixel_size": float(pixel_size), "pixel_size_unit": pixel_size_unit}
    if units is not None:
        attrs["units"] = units
    return xr.DataArray(data, dims=("channel", "y", "x"), coords=coords, attrs=attrs)


def channels_of(stack: xr.DataArray) -> tuple[Channel, ...]:
    """Read what each channel of a stack is from its coordinates."""
    modes = stack["mode"].values if "mode" in stack.coords else ["intensity"] * stack.sizes["channel"]
    numeric = {
        str(name): coord.values.astype(np.float64)
        for name, coord in stack.coords.items()
        if coord.dims == ("channel",) and name not in ("mode", "channel")
    }
    return tuple(
        Channel(mode=str(mode), **{name: float(v[i]) for name, v in numeric.items() if not math.isnan(v[i])})
        for i, mode in enumerate(modes)
    )


def as_labels(
    data: Any,
    classes: Classes | Sequence[str] | None = None,
    *,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
    source: str = "labels",
) -> xr.DataArray:
    """Wrap a class-number array (y, x) as labels.

    Parameters
    ----------
    data
        Integers (y, x); 255 is ignore. Booleans count as classes 0 and 1.
    classes
        Names of the classes, or `Classes`; by default as many as the largest number asks for.
    pixel_size, pixel_size_unit
        Side of a pixel.
    source
        What to call the data in errors, such as the file's path.

    Raises
    ------
    InputError
        If the array is not 2D, has fractions or negative numbers, or holds a class number that is not declared.
    """
    values = np.asarray(data)
    if values.ndim != 2:
        raise InputError(f"{source} has shape {values.shape}, expected (y, x); an RGB mask needs a colour legend")
    if values.dtype.kind == "f" and np.array_equal(values, np.rint(values)):
        values = values.astype(np.int64)
    if values.dtype.kind not in "uib":
        raise InputError(f"{source} holds {values.dtype} values, expected whole class numbers with {IGNORE} = ignore")
    present = [int(v) for v in np.unique(values)]
    numbers = [v for v in present if v != IGNORE]
    if not isinstance(classes, Classes):
        names = tuple(classes) if classes else tuple(f"class {i}" for i in range(max(numbers, default=0) + 1))
        if len(names) > IGNORE:
            raise InputError(f"{source} holds the class number {max(numbers)}, at most {IGNORE - 1} is possible")
        classes = Classes(names=names)
    undeclared = [v for v in numbers if v < 0 or v >= len(classes)]
    if undeclared:
        raise InputError(
            f"{source} holds the class numbers {undeclared[:8]}, but only 0..{len(classes) - 1} are declared "
            f"({', '.join(classes.names)}); declare them or set those pixels to {IGNORE} (ignore)"
        )
    attrs: dict[str, Any] = {"class_names": list(classes.names), "class_colours": list(classes.colours)}
    if pixel_size is not None:
        attrs |= {"pixel_size": float(pixel_size), "pixel_size_unit": pixel_size_unit}
    return xr.DataArray(values.astype(np.uint8), dims=("y", "x"), attrs=attrs)


def classes_of(labels: xr.DataArray) -> Classes:
    """Read the class names and colours that travel with labels."""
    if "class_names" not in labels.attrs:
        values = np.unique(np.asarray(labels.values))
        return Classes.numbered(int(values[values != IGNORE].max(initial=0)) + 1)
    return Classes(names=tuple(labels.attrs["class_names"]), colours=tuple(labels.attrs.get("class_colours", ())))


def is_simulated(array: xr.DataArray) -> bool:
    """Say whether any pixel of a stack or of labels is known to be simulated, by its attributes or its provenance."""
    provenance = array.attrs.get("provenance")
    inherited = provenance.get("simulated", False) if isinstance(provenance, Mapping) else False
    return bool(array.attrs.get("simulated", inherited))


def check_pair(
    stack: xr.DataArray, labels: xr.DataArray, stack_name: str = "stack", labels_name: str = "labels"
) -> None:
    """Refuse labels whose size differs from the stack's.

    Raises
    ------
    InputError
        Naming both sizes.
    """
    of_stack = (stack.sizes["y"], stack.sizes["x"])
    of_labels = (labels.sizes["y"], labels.sizes["x"])
    if of_stack != of_labels:
        raise InputError(
            f"{labels_name} is {of_labels[0]}×{of_labels[1]} but {stack_name} is {of_stack[0]}×{of_stack[1]} (y, x); "
            "crop or pad one of them"
        )
