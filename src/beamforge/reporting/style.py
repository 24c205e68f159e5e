"""One look for all figures: readable at half width, told apart by colour-blind readers, on light and dark pages.

Figures are made on `matplotlib.figure.Figure` under `STYLE`; neither pyplot nor a global figure is touched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#66717d"
GRID = "#dfe4ea"
"""Colours of text, secondary text and grid lines; a page replaces them by those of its own theme."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7b5ea7", "#8c8c00")
"""Line colours (Okabe and Ito 2008, in an order of falling contrast, and two more)."""

WRONG = "#d55e00"
RIGHT = "#c9d1d9"
SEQUENTIAL = "YlGnBu"
DIVERGING = "PuOr_r"
GREY = "gray"

FULL_WIDTH = 6.4
"""Width of a figure across the page, in inches."""

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "image.interpolation": "auto",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
}

P = ParamSpec("P")


def styled(make: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a figure under `STYLE`, whatever the caller's settings are."""

    @functools.wraps(make)
    def under_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(STYLE)
            return make(*args, **kwargs)

    return under_style


def new_figure(width: float, height: float) -> Figure:
    """Start an empty figure of a size in inches whose parts make room for each other."""
    return Figure(figsize=(width, height), layout="constrained")


def bare(axes: Axes) -> None:
    """Take ticks, frame and grid off axes that hold a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
