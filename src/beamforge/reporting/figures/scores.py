"""Scores with their intervals: ours, the baselines that must be beaten, and the papers' figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beamforge.errors import InputError
from beamforge.reporting.numbers import Interval, format_value
from beamforge.reporting.style import FULL_WIDTH, INK, SERIES, new_figure, styled

Kind = Literal["network", "baseline", "published"]

_LOOKS: dict[str, dict[str, Any]] = {
    "network": {"marker": "o", "color": SERIES[0], "markersize": 7},
    "baseline": {"marker": "D", "color": SERIES[1], "markersize": 6},
    "published": {"marker": "s", "color": INK, "markerfacecolor": "none", "markeredgewidth": 1.6, "markersize": 6},
}
_LEGEND = {"network": "trained network", "baseline": "without a network", "published": "published figure"}


@dataclass(frozen=True)
class Score:
    """A score of one way to segment.

    Attributes
    ----------
    name
        Which way.
    value, interval
        The score and its interval.
    kind
        Whether it is a trained network, a baseline that needs no training, or a published figure.
    """

    name: str
    value: float
    interval: Interval | None = None
    kind: Kind = "network"


@styled
def score_chart(scores: Sequence[Score], metric: str, *, limits: tuple[float, float] | None = None) -> Figure:
    """Draw scores as dots with their intervals, the first on top, the figure written beside each.

    Parameters
    ----------
    scores
        In the order they are drawn.
    metric
        What the scores are, such as ``"Dice on measured tiles"``.
    limits
        Of the horizontal axis; by default what the scores need.

    Raises
    ------
    InputError
        If there is no score.
    """
    if not scores:
        raise InputError(f"no score of {metric} to draw")
    figure = new_figure(FULL_WIDTH, 0.34 * len(scores) + 1.3)
    axes = figure.subplots()
    for row, score in enumerate(scores):
        _row(axes, row, score)
    axes.set_yticks(range(len(scores)), [score.name for score in scores])
    axes.set_ylim(len(scores) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(metric)
    if limits is not None:
        axes.set_xlim(*limits)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    kinds = list(dict.fromkeys(score.kind for score in scores))
    if len(kinds) > 1:
        handles = [Line2D([], [], linestyle="", label=_LEGEND[kind], **_LOOKS[kind]) for kind in kinds]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(kinds))
    return figure


def _row(axes: Axes, row: int, score: Score) -> None:
    look = _LOOKS[score.kind]
    if score.interval is not None:
        axes.plot(score.interval, [row, row], color=look["color"], linewidth=2.2, solid_capstyle="round", alpha=0.55)
    axes.plot([score.value], [row], linestyle="", **look)
    written = format_value(score.value, score.interval)
    axes.text(1.01, row, written, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
