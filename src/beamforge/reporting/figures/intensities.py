"""Fitted intensity distributions over the measured histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.reporting.pictures import chosen_channels, quantity, robust_limits
from beamforge.reporting.style import FULL_WIDTH, INK, MUTED, SERIES, new_figure, styled
from beamforge.stack import channels_of, check_pair, classes_of

_BINS = 48
_POINTS = 240
_TAILS = 0.005
_MARGIN = 0.2
_ACROSS = 4
_LOOKS: tuple[tuple[str, Literal["-", "--", ":"]], ...] = ((INK, "-"), (SERIES[1], "--"), (SERIES[0], ":"))


class Density(Protocol):
    """Fitted distributions of every (class, channel); `beamforge.statistics` marginals are such."""

    def log_density(self, values: Float64, label: int) -> Float64:
        """Map values (channel, n) to the log-densities of a class, (channel, n)."""
        ...


@styled
def fitted_densities(
    fits: Mapping[str, Density],
    stack: xr.DataArray,
    labels: xr.DataArray,
    *,
    channels: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
) -> Figure:
    """Draw the fitted densities over the histograms of the annotated pixels, one panel a class and channel.

    Every panel has its own range, so that the fit can be judged; the tails may be cut off.

    Parameters
    ----------
    fits
        At most three marginals by their name in the legend, such as ``{"Johnson": model.marginals}``.
    stack, labels
        The measurement they were fitted on.
    channels
        Numbers of the channels, one column each; by default three, evenly spread.
    classes
        Numbers of the classes, one row each; by default all that have pixels.

    Raises
    ------
    InputError
        If no class has a pixel, a channel does not exist or there are too many fits to tell apart.
    """
    if len(fits) > len(_LOOKS):
        raise InputError(f"{len(fits)} fits in one figure, at most {len(_LOOKS)} can be told apart")
    check_pair(stack, labels)
    shown = chosen_channels(stack, channels, most=3)
    numbers = labels.values
    present = [c for c in range(len(classes_of(labels))) if (numbers == c).any()]
    rows = present if classes is None else [c for c in classes if c in present]
    if not rows:
        raise InputError("no class to show has an annotated pixel; check the labels")
    values = np.asarray(stack.isel(channel=shown).values, dtype=np.float64)
    figure, grid = _panels(len(rows), len(shown))
    names, records = classes_of(labels), channels_of(stack)
    for label, panels in zip(rows, grid, strict=True):
        inside = values[:, numbers == label]
        edges = [_bin_edges(channel) for channel in inside]
        places = np.stack([np.linspace(e[0], e[-1], _POINTS) for e in edges])
        curves = [_densities(fit, places, shown, stack.sizes["channel"], label) for fit in fits.values()]
        for column, axes in enumerate(panels):
            _histogram(axes, inside[column], edges[column], names.colours[label])
            for (colour, line), density in zip(_LOOKS, curves, strict=False):
                axes.plot(places[column], density[column], color=colour, linestyle=line, linewidth=1.4)
            axes.set_ylim(bottom=0)
            title = names.names[label] if len(shown) == 1 else f"{names.names[label]}\n{records[shown[column]].label}"
            axes.set_title(title, fontsize=8)
    name = records[shown[0]].label if len(shown) == 1 else "value"
    figure.supxlabel(quantity(name, stack.attrs.get("units")), fontsize=10)
    handles: list[Artist] = [Patch(color=MUTED, alpha=0.5, label="measured (histogram)")]
    for (colour, line), name in zip(_LOOKS, fits, strict=False):
        handles.append(Line2D([], [], color=colour, linestyle=line, label=name))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _side_by_side(channels: int) -> int:
    """How many classes stand beside each other, each with all its channels."""
    return max(1, _ACROSS // channels)


def _panels(classes: int, channels: int) -> tuple[Figure, list[list[Axes]]]:
    """Make one panel a class and channel, (class, channel); several classes share a row where there is room."""
    beside = min(_side_by_side(channels), classes)
    down = math.ceil(classes / beside)
    figure = new_figure(FULL_WIDTH, (1.1 if channels == 1 else 1.25) * down + 0.8)
    panels = figure.subplots(down, beside * channels, squeeze=False).reshape(-1, channels)
    for unused in panels[classes:].ravel():
        unused.set_axis_off()
    return figure, [list(row) for row in panels[:classes]]


def _bin_edges(values: Float64) -> Float64:
    low, high = robust_limits([values], _TAILS)
    margin = _MARGIN * (high - low)
    return np.linspace(low - margin, high + margin, _BINS + 1)


def _densities(fit: Density, places: Float64, shown: Sequence[int], channels: int, label: int) -> Float64:
    """Evaluate the density at places (shown channel, n); the fit takes all channels at once."""
    everywhere = np.repeat(places[:1], channels, axis=0)
    everywhere[list(shown)] = places
    return np.asarray(np.exp(fit.log_density(everywhere, label)), dtype=np.float64)[list(shown)]


def _histogram(axes: Axes, values: Float64, edges: Float64, colour: str) -> None:
    counts, _ = np.histogram(values[np.isfinite(values)], edges)
    density = counts / max(1, counts.sum()) / np.diff(edges)
    axes.stairs(density, edges, fill=True, color=colour, alpha=0.55)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=8)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
