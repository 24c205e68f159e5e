"""Loss and scores over the course of trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

CURVES: Mapping[str, tuple[str, ...]] = {
    "loss": ("loss", "training_loss", "validation_loss"),
    "Dice": ("dice", "training_dice", "validation_dice"),
}
"""Keys of an event by the panel they are drawn in; those that no event has are left out."""

_LINES: dict[str, Literal["-", "--"]] = {"training": "-", "validation": "--"}
_MARKED = 12


@styled
def training_curves(
    runs: Mapping[str, Sequence[Event]],
    *,
    curves: Mapping[str, tuple[str, ...]] = CURVES,
    horizontal: str = "epoch",
) -> Figure:
    """Draw the records of ``events.jsonl`` of one or several trainings, a panel for each quantity.

    A colour is a training; keys that begin with ``validation`` are dashed where the panel also shows another.

    Parameters
    ----------
    runs
        The records of each training in order, by its name; records without the horizontal key are passed over.
    curves
        Keys drawn, by the title of their panel.
    horizontal
        Key of the horizontal axis.

    Raises
    ------
    InputError
        If no record holds any of the keys.
    """
    found = {
        title: [key for key in keys if any(key in event and horizontal in event for e in runs.values() for event in e)]
        for title, keys in curves.items()
    }
    found = {title: keys for title, keys in found.items() if keys}
    if not found:
        present = sorted({key for events in runs.values() for event in events for key in event})
        raise InputError(f"no event holds {horizontal!r} and one of {dict(curves)}; the events hold {present}")
    figure = new_figure(FULL_WIDTH, 3.0 + 0.22 * -(-len(runs) // 3))
    panels = figure.subplots(1, len(found), squeeze=False).ravel()
    for axes, (title, keys) in zip(panels, found.items(), strict=True):
        for events, colour in zip(runs.values(), cycle(SERIES), strict=False):
            for key in keys:
                _curve(axes, events, horizontal, key, colour, dashed=len(keys) > 1)
        axes.set_title(title)
        axes.set_xlabel(horizontal)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    handles = [Line2D([], [], color=c, label=name) for name, c in zip(runs, cycle(SERIES), strict=False)]
    if any(len(keys) > 1 for keys in found.values()):
        handles += [Line2D([], [], color=MUTED, linestyle=line, label=name) for name, line in _LINES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _curve(axes: Axes, events: Sequence[Event], horizontal: str, key: str, colour: str, *, dashed: bool) -> None:
    points = [(event[horizontal], event[key]) for event in events if event.get(key) is not None and horizontal in event]
    if not points:
        return
    x, y = np.array(points, dtype=np.float64).T
    line = _LINES.get(key.split("_")[0], "-") if dashed else "-"
    marker = "o" if len(x) <= _MARKED else ""
    axes.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=3)
