"""Scores of repeated runs, every run to be seen and the pairs of a seed joined."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from beamforge.errors import InputError
from beamforge.evaluation.repeats import Repeats
from beamforge.reporting.numbers import format_value
from beamforge.reporting.style import FULL_WIDTH, MUTED, SERIES, new_figure, styled


@styled
def repeats_chart(repeats: Repeats, *, published: dict[str, float] | None = None) -> Figure:
    """Draw every run as a dot, a thin line through the runs of one seed, and the mean of a row with its interval.

    Parameters
    ----------
    repeats
        The scores.
    published
        Others' means by row, drawn as open squares.

    Raises
    ------
    InputError
        If a published figure is of no row.
    """
    published = published or {}
    unknown = set(published) - set(repeats.rows)
    if unknown:
        raise InputError(f"published figures of {sorted(unknown)}, the rows are {list(repeats.rows)}")
    figure = new_figure(FULL_WIDTH, 0.5 * len(repeats.rows) + 1.3)
    axes = figure.subplots()
    for scores in zip(*repeats.rows.values(), strict=True):
        axes.plot(scores, range(len(scores)), color=MUTED, linewidth=0.5, alpha=0.5)
    for place, (row, values) in enumerate(repeats.rows.items()):
        summary = repeats.summary(row)
        colour = SERIES[place % len(SERIES)]
        axes.plot(values, [place] * len(values), linestyle="", marker="o", markersize=3.5, color=colour, alpha=0.55)
        if summary.interval is not None:
            axes.plot(summary.interval, [place - 0.22] * 2, color=colour, linewidth=2.4, solid_capstyle="round")
        axes.plot([summary.mean], [place - 0.22], linestyle="", marker="D", markersize=5.5, color=colour)
        if row in published:
            look: dict[str, Any] = {"marker": "s", "markerfacecolor": "none", "markeredgewidth": 1.5, "color": MUTED}
            axes.plot([published[row]], [place - 0.22], linestyle="", markersize=6, **look)
        text = format_value(summary.mean, summary.interval)
        axes.text(1.01, place - 0.22, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    axes.set_yticks(range(len(repeats.rows)), list(repeats.rows))
    axes.set_ylim(len(repeats.rows) - 0.5, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(repeats.figure)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure
