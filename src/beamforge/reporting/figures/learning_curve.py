"""A score over the amount of annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure

from beamforge.errors import InputError
from beamforge.reporting.numbers import Interval
from beamforge.reporting.style import FULL_WIDTH, SERIES, new_figure, styled

Point = tuple[float, float, Interval | None]
"""Amount, score and its interval."""


@styled
def learning_curve(lines: Mapping[str, Sequence[Point]], amount: str, score: str) -> Figure:
    """Draw scores over an amount on a logarithmic axis, with their intervals as bars.

    Parameters
    ----------
    lines
        Points of each line by its name, in order.
    amount, score
        What the axes are.

    Raises
    ------
    InputError
        If there is no point.
    """
    amounts = sorted({point[0] for points in lines.values() for point in points})
    if not amounts:
        raise InputError(f"no point of {score} over {amount} to draw")
    figure = new_figure(0.75 * FULL_WIDTH, 3.2)
    axes = figure.subplots()
    for (name, points), colour in zip(lines.items(), cycle(SERIES), strict=False):
        places, values = [p[0] for p in points], [p[1] for p in points]
        axes.plot(places, values, "o-", color=colour, label=name)
        for place, _, interval in points:
            if interval is not None:
                axes.plot([place, place], interval, color=colour, linewidth=2.2, alpha=0.4)
    axes.set_xscale("log")
    axes.set_xticks(amounts, [f"{value:g}" for value in amounts])
    axes.minorticks_off()
    axes.set_xlabel(amount)
    axes.set_ylabel(score)
    axes.legend()
    return figure
