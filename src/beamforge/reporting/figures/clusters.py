"""Maps and spectra of clusters in the same colours, and spectra with their Bragg edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.reporting.figures.maps import draw_heat
from beamforge.reporting.pictures import label_picture, pixel_size_of, quantity, scale_bar, show_colours
from beamforge.reporting.style import DIVERGING, FULL_WIDTH, MUTED, new_figure, styled
from beamforge.stack import CHANNEL_UNITS, Channel, Classes, classes_of

_SPECTRA_HEIGHT = 3.0
_MOST_NUMBERED = 7
_NEAREST_TEXTS = 0.018
"""Share of the axis that a text on its side takes."""


@styled
def cluster_overview(
    labels: xr.DataArray,
    spectra: ArrayLike,
    channels: Sequence[Channel],
    correlation: ArrayLike,
    *,
    edges: Mapping[str, float] | None = None,
    units: str | None = None,
) -> Figure:
    """Draw the map of clusters, the correlation of their mean spectra, and the spectra in the colours of the map.

    Parameters
    ----------
    labels
        (y, x) with the clusters as classes.
    spectra
        Mean spectra (cluster, channel); NaN leaves a gap.
    channels
        What the channels are.
    correlation
        (cluster, cluster).
    edges
        Positions to mark along the spectra, such as those of `beamforge.physics.bragg_edges.bragg_edges`, by name.
    units
        Of the spectra.

    Raises
    ------
    InputError
        If the numbers of clusters or channels differ.
    """
    classes = classes_of(labels)
    height, width = labels.shape
    top = min(5.0, 0.5 * FULL_WIDTH * height / width + 0.4)
    figure = new_figure(FULL_WIDTH, top + _SPECTRA_HEIGHT)
    places = figure.subplot_mosaic(
        [["map", "correlation"], ["spectra", "spectra"]], height_ratios=(top, _SPECTRA_HEIGHT)
    )
    show_colours(places["map"], label_picture(labels.values, classes))
    places["map"].set_title("Clusters")
    scale_bar(places["map"], *pixel_size_of(labels))
    shown = draw_heat(
        places["correlation"],
        np.asarray(correlation, dtype=np.float64),
        limits=(-1, 1),
        colours=DIVERGING,
        most_numbered=_MOST_NUMBERED,
    )
    places["correlation"].set_title("Correlation of their spectra")
    places["correlation"].set_aspect("equal")
    numbers = range(len(classes))
    places["correlation"].set_xticks(numbers, [str(number) for number in numbers])
    places["correlation"].set_yticks(numbers, classes.names)
    figure.colorbar(shown, ax=places["correlation"], shrink=0.8, pad=0.02).outline.set_visible(False)
    _draw_spectra(places["spectra"], spectra, channels, classes, edges or {}, units)
    return figure


@styled
def spectra_with_edges(
    spectra: ArrayLike,
    channels: Sequence[Channel],
    classes: Classes,
    *,
    edges: Mapping[str, float] | None = None,
    units: str | None = None,
) -> Figure:
    """Draw spectra (class, channel) along their channels, with marks such as Bragg edges; see `cluster_overview`."""
    figure = new_figure(FULL_WIDTH, _SPECTRA_HEIGHT)
    _draw_spectra(figure.subplots(), spectra, channels, classes, edges or {}, units)
    return figure


def _draw_spectra(
    axes: Axes,
    spectra: ArrayLike,
    channels: Sequence[Channel],
    classes: Classes,
    edges: Mapping[str, float],
    units: str | None,
) -> None:
    values = np.asarray(spectra, dtype=np.float64)
    if values.shape != (len(classes), len(channels)):
        raise InputError(f"the spectra have shape {values.shape}, expected {(len(classes), len(channels))}")
    name, along = _abscissa(channels)
    for number, spectrum in enumerate(values):
        marker = "." if len(channels) == 1 else ""
        axes.plot(
            along, spectrum, color=classes.colours[number], label=classes.names[number], linewidth=1.2, marker=marker
        )
    _mark_edges(axes, {text: place for text, place in edges.items() if along.min() <= place <= along.max()}, along)
    axes.set_xlabel(name)
    axes.set_ylabel(quantity("mean", units))
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", fontsize=8, ncols=5)


def _mark_edges(axes: Axes, edges: Mapping[str, float], along: Float64) -> None:
    """Draw a line at each edge; edges too close for a text of their own share one."""
    nearest = _NEAREST_TEXTS * float(np.ptp(along))
    texts: dict[float, list[str]] = {}
    for text, place in sorted(edges.items(), key=lambda edge: edge[1]):
        axes.axvline(place, color=MUTED, linewidth=0.8, linestyle="--")
        close = [first for first in texts if place - first < nearest]
        texts.setdefault(close[-1] if close else place, []).append(text)
    for place, names in texts.items():
        axes.annotate(
            ", ".join(names), (place, 1.0), xycoords=axes.get_xaxis_transform(), xytext=(-1, -2),
            textcoords="offset points", fontsize=7.5, color=MUTED, rotation=90, ha="right", va="top",
        )  # fmt: skip


def _abscissa(channels: Sequence[Channel]) -> tuple[str, Float64]:
    """Find what runs along the channels: a number they all have and that differs, else their order."""
    for name in ("wavelength", "energy", *sorted({n for channel in channels for n in channel.numbers})):
        values = [channel.numbers.get(name, np.nan) for channel in channels]
        if np.isfinite(values).all() and len(set(values)) == len(values) and name != "z":
            return quantity(name.replace("_", " "), CHANNEL_UNITS.get(name)), np.array(values)
    return "channel", np.arange(len(channels), dtype=np.float64)
