"""Pictures inside figures: robust contrast, labels in the colours of their classes, scale bars, legends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy
from numpy.typing import ArrayLike, NDArray

from beamforge.errors import InputError
from beamforge.reporting.style import GREY, MUTED, RIGHT, WRONG, bare
from beamforge.stack import IGNORE, Channel, Classes, channels_of

_IGNORE_SHADES = ((176, 182, 189), (214, 218, 223))
_STRIPES_ACROSS = 40
_SCALE_BAR_FRACTION = 0.25
_INVALID = "#e8a5a5"
_LARGER_UNITS = {"nm": ("µm", 1e3), "µm": ("mm", 1e3), "um": ("mm", 1e3), "mm": ("cm", 10.0)}

Limits = tuple[float, float]


def robust_limits(images: Iterable[ArrayLike], tails: float = 0.005) -> Limits:
    """Find grey-scale limits that a few outliers do not stretch.

    Parameters
    ----------
    images
        Arrays of any shape that will share the scale; non-finite pixels do not count.
    tails
        Fraction of the pixels that may saturate at either end.

    Raises
    ------
    InputError
        If no pixel is finite.
    """
    finite = [values[np.isfinite(values)] for values in map(np.asarray, images)]
    values = np.concatenate(finite) if finite else np.empty(0)
    if values.size == 0:
        raise InputError("no finite pixel to show; check that the stack holds values and not NaN only")
    low, high = (float(v) for v in np.quantile(values, (tails, 1 - tails)))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def label_picture(labels: ArrayLike, classes: Classes) -> NDArray[np.uint8]:
    """Colour labels (y, x) by their classes, as RGB (y, x, 3); ignored pixels are hatched in grey.

    Raises
    ------
    InputError
        If a label is neither a class nor ignore.
    """
    numbers = np.asarray(labels)
    ignored = numbers == IGNORE
    if numbers.size and numbers[~ignored].max(initial=0) >= len(classes):
        raise InputError(f"labels hold the class {numbers[~ignored].max()}, but only {len(classes)} classes are named")
    picture: NDArray[np.uint8] = classes.rgb[np.where(ignored, 0, numbers)]
    picture[ignored] = _hatching(numbers.shape)[ignored]
    return picture


def error_picture(truth: ArrayLike, prediction: ArrayLike) -> NDArray[np.uint8]:
    """Colour wrong pixels (y, x), as RGB (y, x, 3); pixels that the truth ignores are hatched in grey."""
    expected, found = np.asarray(truth), np.asarray(prediction)
    shades = np.array([_rgb(RIGHT), _rgb(WRONG)], dtype=np.uint8)
    picture: NDArray[np.uint8] = shades[(expected != found).astype(np.intp)]
    ignored = expected == IGNORE
    picture[ignored] = _hatching(expected.shape)[ignored]
    return picture


def _hatching(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    y, x = np.indices(shape, sparse=True)
    width = max(2, max(shape) // _STRIPES_ACROSS // 2)
    stripes: NDArray[np.uint8] = np.array(_IGNORE_SHADES, dtype=np.uint8)[((y + x) // width) % 2]
    return stripes


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def show_grey(axes: Axes, image: ArrayLike, limits: Limits) -> AxesImage:
    """Draw an image (y, x) in grey; pixels without a value are pale red."""
    bare(axes)
    shown = axes.imshow(np.asarray(image, dtype=np.float64), cmap=GREY, vmin=limits[0], vmax=limits[1])
    shown.set_cmap(shown.get_cmap().with_extremes(bad=_INVALID))
    return shown


def show_colours(axes: Axes, picture: NDArray[np.uint8]) -> AxesImage:
    """Draw an RGB picture (y, x, 3) without mixing the colours of neighbours."""
    bare(axes)
    return axes.imshow(picture, interpolation="nearest")


def grey_bar(axes: Sequence[Axes], shown: ScalarMappable, text: str, **where: Any) -> None:
    """Put a slim colour bar with its quantity and unit beside axes; arrows say that outliers saturate.

    A pure number, ``1``, is called a value.
    """
    bar = axes[0].figure.colorbar(shown, ax=list(axes), extend="both", ticks=MaxNLocator(4), **where)
    bar.outline.set_visible(False)
    bar.set_label("value" if text == "1" else text)


def quantity(name: str, units: str | None) -> str:
    """Name an axis with its unit, such as ``H0 120 nm (counts)``; a pure number, ``1``, has none."""
    return f"{name} ({units})" if units and units != "1" else name


def scale_bar(axes: Axes, pixel_size: float | None, unit: str = "µm") -> None:
    """Draw a bar of a round length into the lower left corner of a picture.

    Without a pixel size the bar counts pixels.
    """
    width, height = (abs(b - a) for a, b in (axes.get_xlim(), axes.get_ylim()))
    length, label = scale_bar_length(width, pixel_size, unit)
    left, bottom = axes.get_xlim()[0] + 0.04 * width, axes.get_ylim()[0] - 0.06 * height
    ends = [left, left + length], [bottom, bottom]
    axes.plot(*ends, color="white", linewidth=2.5, solid_capstyle="butt", path_effects=_outline(4.5), scalex=False)
    above = offset_copy(axes.transData, axes.get_figure(root=True), y=4, units="points")
    text = axes.text(left, bottom, label, color="white", fontsize=8, va="bottom", transform=above)
    text.set_path_effects(_outline(2.0))


def _outline(width: float) -> list[patheffects.AbstractPathEffect]:
    return [patheffects.withStroke(linewidth=width, foreground="black")]


def scale_bar_length(width: float, pixel_size: float | None, unit: str = "µm") -> tuple[float, str]:
    """Choose a round length of about a quarter of a width, in px, and its text.

    Parameters
    ----------
    width
        Of the picture in px.
    pixel_size, unit
        Side of a pixel; None counts in px.
    """
    side, name = (1.0, "px") if pixel_size is None else (pixel_size, unit)
    longest = width * side * _SCALE_BAR_FRACTION
    decade = 10.0 ** math.floor(math.log10(longest))
    length = decade * max(step for step in (1, 2, 5) if step * decade <= longest * (1 + 1e-9))
    shown = length
    while name in _LARGER_UNITS and shown >= _LARGER_UNITS[name][1]:
        name, factor = _LARGER_UNITS[name]
        shown /= factor
    return length / side, f"{shown:g} {name}"


def class_handles(classes: Classes, *, ignored: bool = False) -> list[Patch]:
    """Make legend entries in the colours of the classes, with one for ignored pixels if there are any."""
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(classes.names, classes.colours, strict=True)]
    if ignored:
        light = "#{:02x}{:02x}{:02x}".format(*_IGNORE_SHADES[1])
        handles.append(Patch(facecolor=light, edgecolor=MUTED, hatch="////", linewidth=0, label="ignored"))
    return handles


def pixel_size_of(data: xr.DataArray) -> tuple[float | None, str]:
    """Read the side of a pixel and its unit from a stack or labels; None where it is not known."""
    size = data.attrs.get("pixel_size")
    return (None if size is None else float(size)), str(data.attrs.get("pixel_size_unit", "µm"))


def chosen_channels(
    stack_or_channels: xr.DataArray | Sequence[Channel], chosen: Sequence[int] | None, most: int
) -> list[int]:
    """Check the channel numbers chosen, or spread up to `most` evenly over the channels.

    Raises
    ------
    InputError
        If a number is not a channel's.
    """
    records = channels_of(stack_or_channels) if isinstance(stack_or_channels, xr.DataArray) else stack_or_channels
    count = len(records)
    if chosen is None:
        return sorted({round(float(place)) for place in np.linspace(0, count - 1, min(most, count))})
    outside = [number for number in chosen if not 0 <= number < count]
    if outside:
        raise InputError(f"channels {outside} were asked for, but the stack has the channels 0..{count - 1}")
    return list(chosen)


def normalised(limits: Limits) -> ScalarMappable:
    """Make the grey scale of these limits, for a colour bar that several pictures share."""
    return ScalarMappable(Normalize(*limits), cmap=GREY)
