"""Heat maps class x channel, confusion matrices and channel correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.reporting.pictures import quantity, robust_limits
from beamforge.reporting.style import DIVERGING, FULL_WIDTH, RIGHT, SEQUENTIAL, new_figure, styled
from beamforge.stack import CHANNEL_UNITS, Channel, Classes

_MOST_NUMBERED = 14
_MOST_TICKS = 9
_FEW = 6
_MAPS_BESIDE = 3
_TAILS = 0.01
_SLANTED: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


@styled
def class_channel_maps(maps: Mapping[str, ArrayLike], classes: Classes, channels: Sequence[Channel]) -> Figure:
    """Draw values of every (class, channel) as heat maps, such as re-fit differences.

    Maps of few channels stand beside each other, those of many under each other. Signed values get a scale that is
    symmetric about zero, others one that starts at zero; a robust range keeps one outlier from washing out the rest.
    Values are written into the cells where they fit.

    Parameters
    ----------
    maps
        Arrays (class, channel) by their title, such as ``{"Δγ": ..., "W1 / sd": ...}``; NaN is left blank.
    classes, channels
        What the rows and columns are.

    Raises
    ------
    InputError
        If an array has another shape.
    """
    beside = len(channels) <= _FEW and len(maps) > 1
    rows, columns = (-(-len(maps) // _MAPS_BESIDE), min(len(maps), _MAPS_BESIDE)) if beside else (len(maps), 1)
    figure = new_figure(FULL_WIDTH, max(2.0, rows * (0.22 * len(classes) + 0.85) + 0.6))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for unused in grid[len(maps) :]:
        unused.set_axis_off()
    for axes, (title, given) in zip(grid, maps.items(), strict=False):
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (len(classes), len(channels)):
            raise InputError(f"{title} has shape {values.shape}, expected {(len(classes), len(channels))}")
        shown = draw_heat(axes, values)
        axes.set_title(title)
        axes.set_yticks(range(len(classes)), classes.names)
        extend = "both" if shown.norm.vmin else "max"
        bar = figure.colorbar(shown, ax=axes, extend=extend, pad=0.02, ticks=MaxNLocator(5))
        bar.outline.set_visible(False)
    for axes in grid[-columns:]:
        _name_channels(axes, channels, _MOST_TICKS // columns)
    return figure


@styled
def confusion_matrix(counts: ArrayLike, classes: Classes, *, title: str = "") -> Figure:
    """Draw a confusion matrix as fractions of each true class.

    Parameters
    ----------
    counts
        Pixels (true class, predicted class); a class without pixels gets a blank row.
    classes
        What rows and columns are.
    title
        What was evaluated.

    Raises
    ------
    InputError
        If the array is not (class, class).
    """
    pixels = np.asarray(counts, dtype=np.float64)
    if pixels.shape != (len(classes), len(classes)):
        raise InputError(f"the confusion matrix has shape {pixels.shape} for {len(classes)} classes")
    totals = pixels.sum(axis=1, keepdims=True)
    fractions = np.divide(pixels, totals, out=np.full_like(pixels, np.nan), where=totals > 0)
    side = min(FULL_WIDTH - 1.4, max(3.0, 0.42 * len(classes) + 1.6))
    figure = new_figure(side + 1.4, side)
    axes = figure.subplots()
    shown = draw_heat(axes, fractions, limits=(0.0, 1.0))
    axes.set_aspect("equal")
    axes.set_title(title)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    slanted = any(len(name) > 4 for name in classes.names)
    axes.set_xticks(range(len(classes)), classes.names, **(_SLANTED if slanted else {}))
    axes.set_yticks(range(len(classes)), classes.names)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("fraction of the true class")
    return figure


@styled
def channel_correlations(matrices: Mapping[str, ArrayLike], channels: Sequence[Channel]) -> Figure:
    """Draw correlation matrices between channels beside each other on one scale from -1 to 1.

    Parameters
    ----------
    matrices
        Arrays (channel, channel) by their title, such as ``{"measured": ..., "simulated, i.i.d.": ...}``.
    channels
        What rows and columns are.
    """
    figure = new_figure(FULL_WIDTH, FULL_WIDTH / len(matrices) + 0.4 if len(matrices) > 1 else 4.5)
    grid = figure.subplots(1, len(matrices), squeeze=False, sharey=True).ravel()
    for axes, (title, values) in zip(grid, matrices.items(), strict=True):
        shown = draw_heat(axes, np.asarray(values, dtype=np.float64), limits=(-1.0, 1.0), colours=DIVERGING)
        axes.set_aspect("equal")
        axes.set_title(title)
        _name_channels(axes, channels, _MOST_TICKS // len(matrices))
        axes.set_xlabel(axes.get_xlabel() if axes is grid[len(grid) // 2] else "")
    grid[0].set_yticks(grid[0].get_xticks(), [text.get_text() for text in grid[0].get_xticklabels()])
    bar = figure.colorbar(shown, ax=list(grid), shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("correlation")
    return figure


def draw_heat(
    axes: Axes,
    values: Float64,
    *,
    limits: tuple[float, float] | None = None,
    colours: str | None = None,
    most_numbered: int = _MOST_NUMBERED,
) -> AxesImage:
    """Draw values (row, column) as a heat map with numbers in its cells where they fit; NaN is left blank."""
    signed = bool((values < 0).any())
    if limits is None:
        high = max(map(abs, robust_limits([values], _TAILS)))
        limits = (-high, high) if signed else (0.0, high)
    colours = colours or (DIVERGING if signed else SEQUENTIAL)
    shown = axes.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="nearest")
    shown.set_cmap(shown.get_cmap().with_extremes(bad=RIGHT))
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    if values.shape[1] <= most_numbered:
        _number_cells(axes, shown, values)
    return shown


def _number_cells(axes: Axes, shown: AxesImage, values: Float64) -> None:
    colour_of = shown.to_rgba(values)
    largest = max(map(abs, shown.get_clim()))
    decimals = max(0, 1 - math.floor(math.log10(largest * 0.99)))
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        red, green, blue, _ = colour_of[row, column]
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        colour = "#ffffff" if dark else "#000000"
        axes.text(column, row, _short(value, decimals), ha="center", va="center", fontsize=7.5, color=colour)


def _short(value: float, decimals: int) -> str:
    """Write a number without the zero before its point, as cells are narrow."""
    text = f"{value:.{decimals}f}".replace("-", "−")
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text


def _name_channels(axes: Axes, channels: Sequence[Channel], most: int) -> None:
    """Label the columns, thinned out to `most` where there are more; one running number becomes the axis."""
    step = -(-len(channels) // max(most, 2))
    places = list(range(0, len(channels), step))
    running = _running_number(channels)
    if running is not None:
        axes.set_xticks(places, [f"{channels[i].numbers[running]:g}" for i in places])
        axes.set_xlabel(quantity(running.replace("_", " "), CHANNEL_UNITS.get(running)))
        return
    axes.set_xticks(places, [channels[i].label for i in places], **_SLANTED)


def _running_number(channels: Sequence[Channel]) -> str | None:
    """Find the one number in which channels of the same mode differ, if there is such."""
    names = {name for channel in channels for name in channel.numbers}
    if len(names) != 1 or len({channel.mode for channel in channels}) != 1:
        return None
    name = names.pop()
    return name if all(name in channel.numbers for channel in channels) else None
