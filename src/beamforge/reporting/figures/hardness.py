"""How the score of simulated samples depends on what was drawn for them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from beamforge.errors import InputError
from beamforge.evaluation.hardness import Hardness, ParameterHardness
from beamforge.reporting.style import FULL_WIDTH, MUTED, SERIES, new_figure, styled

_ACROSS = 3


@styled
def hardness_panels(hardness: Hardness, *, most: int = 6) -> Figure:
    """Draw partial dependence and binned means of the most important parameters, a panel each on one scale.

    Parameters
    ----------
    hardness
        What was found.
    most
        How many parameters are shown at most.

    Raises
    ------
    InputError
        If no parameter would be shown.
    """
    shown = hardness.parameters[:most]
    if not shown:
        raise InputError(f"most is {most}, no parameter would be shown")
    rows = -(-len(shown) // _ACROSS)
    figure = new_figure(FULL_WIDTH, 1.9 * rows + 0.5)
    panels = figure.subplots(rows, min(_ACROSS, len(shown)), sharey=True, squeeze=False).ravel()
    for axes, one in zip(panels, shown, strict=False):
        _panel(axes, one)
    for axes in panels[len(shown) :]:
        axes.remove()
    for first in range(0, len(shown), _ACROSS):
        panels[first].set_ylabel(hardness.score)
    handles = [
        Line2D([], [], color=SERIES[0], label="all else equal (partial dependence)"),
        Line2D([], [], color=MUTED, linestyle="", marker="o", markersize=4, label="mean of the samples, 95 %"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _panel(axes: Axes, one: ParameterHardness) -> None:
    centres = 0.5 * (one.edges[:-1] + one.edges[1:])
    errors = np.stack([one.means - one.low, one.high - one.means])
    axes.errorbar(centres, one.means, errors, color=MUTED, linestyle="", marker="o", markersize=4, linewidth=1.2)
    axes.plot(one.grid, one.dependence, color=SERIES[0])
    step, _, name = one.name.rpartition(".")
    axes.set_title(f"{step}\n{name}", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(4))
