"""Loss and scores over the course of trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from beamforge.errors import InputError
from beamforge.reporting.style import FULL_WIDTH, MUTED, SERIES, new_figure, styled

Event = Mapping[str, Any]
LineStyle = Literal["-", "--", ":", "-."]

SCORES: Mapping[str, str] = {"dice": "Dice"}
"""Scores drawn by default: their key among an event's validation results, and the title of their panel."""

_WIDE = 20
"""Ratio of the largest and the smallest loss beyond which the axis is logarithmic."""
_VALIDATION_LINES: tuple[LineStyle, ...] = ("--", ":", "-.")


@styled
def training_curves(runs: Mapping[str, Sequence[Event]], *, scores: Mapping[str, str] = SCORES) -> Figure:
    """Draw the records of ``events.jsonl`` of one or several trainings: the loss and a panel for each score.

    A colour is a training, a line style is the data: that of the training or one of the validation sets. A ring marks
    the epoch that was kept as the best.

    Parameters
    ----------
    runs
        The records of each training in order, by its name; those that are not of an epoch are passed over.
    scores
        Keys of the validation results to draw, with the titles of their panels.

    Raises
    ------
    InputError
        If no training has finished an epoch, or a score was never validated.
    """
    epochs = {name: [e for e in events if "epoch" in e and "train_loss" in e] for name, events in runs.items()}
    finished = [event for events in epochs.values() for event in events]
    if not finished:
        raise InputError(f"none of the trainings {list(runs)} has finished an epoch; there is nothing to draw")
    known = {key for event in finished for results in event["validation"].values() for key in results}
    validated = list(dict.fromkeys(name for event in finished for name in event["validation"]))
    if validated and not set(scores) <= known:
        raise InputError(f"the scores {sorted(set(scores) - known)} were not validated; available: {sorted(known)}")
    lines = dict(zip(validated, cycle(_VALIDATION_LINES), strict=False))
    figure, panels = _panels(["loss", *(scores.values() if validated else ())], len(runs) + len(lines))
    for events, colour in zip(epochs.values(), cycle(SERIES), strict=False):
        _curve(panels[0], events, colour, "-", lambda event: event["train_loss"])
        for data, line in lines.items():
            for axes, key in zip(panels, ["loss", *scores], strict=False):
                _curve(axes, events, colour, line, _result(data, key))
        for axes, key in zip(panels[1:], scores, strict=False):
            _mark_best(axes, events, colour, _result(validated[0], key))
    _show_small_losses(panels[0])
    figure.legend(handles=_legend(runs, lines), loc="outside lower center", ncols=3)
    return figure


def _panels(titles: Sequence[str], entries: int) -> tuple[Figure, list[Axes]]:
    figure = new_figure(FULL_WIDTH, 2.8 + 0.22 * -(-entries // 3))
    panels = list(figure.subplots(1, len(titles), squeeze=False).ravel())
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure, panels


def _result(data: str, key: str) -> Callable[[Event], float | None]:
    def read(event: Event) -> float | None:
        value: float | None = event["validation"].get(data, {}).get(key)
        return value

    return read


def _curve(
    axes: Axes, events: Sequence[Event], colour: str, line: LineStyle, read: Callable[[Event], float | None]
) -> None:
    points = [(event["epoch"], value) for event in events if (value := read(event)) is not None]
    if points:
        x, y = np.array(points, dtype=np.float64).T
        axes.plot(x, y, color=colour, linestyle=line, marker="." if len(x) == 1 else "")


def _show_small_losses(axes: Axes) -> None:
    """Take a logarithmic axis where one early loss would press all others to the ground."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.lines])
    if values.min() > 0 and values.max() > _WIDE * values.min():
        axes.set_yscale("log")


def _mark_best(axes: Axes, events: Sequence[Event], colour: str, read: Callable[[Event], float | None]) -> None:
    best = [event for event in events if event.get("best")]
    if best and (value := read(best[-1])) is not None:
        ring: dict[str, Any] = {"marker": "o", "markersize": 8, "markerfacecolor": "none", "markeredgewidth": 1.6}
        axes.plot([best[-1]["epoch"]], [value], color=colour, linestyle="", **ring)


def _legend(runs: Mapping[str, Any], lines: Mapping[str, LineStyle]) -> list[Line2D]:
    handles = [Line2D([], [], color=c, label=name) for name, c in zip(runs, cycle(SERIES), strict=False)]
    if lines:
        handles.append(Line2D([], [], color=MUTED, label="training data"))
        handles += [Line2D([], [], color=MUTED, linestyle=line, label=f"validation: {n}") for n, line in lines.items()]
    return handles
