"""Simulated tiles next to measured ones, and how their noise is correlated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from beamforge.errors import InputError
from beamforge.reporting.pictures import grey_bar, normalised, robust_limits, scale_bar, show_grey
from beamforge.reporting.style import FULL_WIDTH, INK, SERIES, new_figure, styled

_LINES = ("-", "--", ":", "-.")


@styled
def simulated_beside_measured(
    measured: Sequence[ArrayLike],
    simulated: Mapping[str, Sequence[ArrayLike]],
    *,
    units: str | None = None,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
) -> Figure:
    """Show tiles of one channel on the grey scale of the measured ones, a row for each way of simulating.

    Parameters
    ----------
    measured
        Measured tiles (y, x), all of one size.
    simulated
        As many simulated tiles, by the name of the generator; the rows are marked as simulated.
    units
        Unit of the values.
    pixel_size, pixel_size_unit
        Side of a pixel.

    Raises
    ------
    InputError
        If a row has another number of tiles.
    """
    rows = {"measured": measured, **{f"simulated:\n{name}": tiles for name, tiles in simulated.items()}}
    for name, tiles in rows.items():
        if len(tiles) != len(measured):
            raise InputError(f"{len(tiles)} tiles are {name.split(':')[0]}, {len(measured)} are measured; give as many")
    limits = robust_limits(measured)
    side = (FULL_WIDTH - 1.2) / len(measured)
    figure = new_figure(FULL_WIDTH, len(rows) * (side + 0.06) + 0.7)
    grid = figure.subplots(len(rows), len(measured), squeeze=False)
    for row, (name, tiles) in zip(grid, rows.items(), strict=True):
        for axes, tile in zip(row, tiles, strict=True):
            show_grey(axes, tile, limits)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", color=INK)
    scale_bar(grid[0, 0], pixel_size, pixel_size_unit)
    where = {"location": "bottom", "shrink": 0.6, "aspect": 40, "pad": 0.02}
    grey_bar(list(grid.ravel()), normalised(limits), units or "value", **where)
    return figure


@styled
def correlation_by_lag(
    lags: ArrayLike,
    measured: ArrayLike,
    simulated: Mapping[str, ArrayLike],
    *,
    title: str = "",
    logarithmic: bool = False,
) -> Figure:
    """Draw how strongly the noise of pixels at a distance is correlated, measured and simulated.

    Parameters
    ----------
    lags
        Distances in px (n,).
    measured
        Correlation of the normal scores at those distances (n,).
    simulated
        The same of each generator, by its name.
    title
        Of which class and channel.
    logarithmic
        Whether the distances are drawn logarithmically; those of 0 px are then left out.
    """
    distances = np.asarray(lags, dtype=np.float64)
    drawn = distances > 0 if logarithmic else np.ones(len(distances), dtype=bool)
    figure = new_figure(FULL_WIDTH * 0.8, 3.2)
    axes = figure.subplots()
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.plot(distances[drawn], np.asarray(measured)[drawn], "o-", color=INK, markersize=4, label="measured")
    for (name, values), colour, line in zip(simulated.items(), cycle(SERIES), cycle(_LINES), strict=False):
        axes.plot(distances[drawn], np.asarray(values)[drawn], color=colour, linestyle=line, label=f"simulated: {name}")
    if logarithmic:
        axes.set_xscale("log")
    axes.set_title(title)
    axes.set_xlabel("distance (px)")
    axes.set_ylabel("correlation")
    axes.legend()
    return figure
