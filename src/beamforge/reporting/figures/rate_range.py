"""The loss over the learning rate of a range test."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from beamforge.learning.rate_range import RateRange
from beamforge.reporting.style import FULL_WIDTH, MUTED, SERIES, new_figure, styled


@styled
def rate_range_chart(found: RateRange) -> Figure:
    """Draw the loss of every step, the smoothed loss, and the rates that follow from it.

    Parameters
    ----------
    found
        Of `beamforge.learning.learning_rate_range`.
    """
    figure = new_figure(FULL_WIDTH, 3.0)
    axes = figure.subplots()
    axes.plot(found.rates, found.losses, color=MUTED, linewidth=0.8, alpha=0.6, label="loss of a step")
    axes.plot(found.rates, found.smoothed, color=SERIES[0], label="smoothed")
    axes.axvline(found.suggestion, color=SERIES[1], label=f"suggestion {found.suggestion:.1e}")
    axes.axvline(found.steepest, color=SERIES[2], linestyle=":", label=f"steepest {found.steepest:.1e}")
    axes.axvline(found.lowest, color=MUTED, linestyle="--", label=f"lowest {found.lowest:.1e}")
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss")
    # What explodes at the end would flatten everything else.
    top = max(float(found.smoothed[0]), float(np.max(found.losses[: int(found.smoothed.argmin()) + 1])))
    axes.set_ylim(0, 1.3 * top)
    figure.legend(loc="outside right upper")
    return figure
