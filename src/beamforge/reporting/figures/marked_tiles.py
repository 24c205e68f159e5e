"""Pictures with the tiles outlined in which a classifier found something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from beamforge.errors import InputError
from beamforge.reporting.pictures import robust_limits, show_grey
from beamforge.reporting.style import FULL_WIDTH, new_figure, styled

_TALLEST = 1.6
"""Height over width of the tallest place for a picture; taller ones become narrower."""


@dataclass(frozen=True)
class MarkedPicture:
    """A picture and some of its tiles.

    Attributes
    ----------
    name
        Written above it.
    image
        Grey values (y, x).
    corners
        First row and column in px of each tile that is outlined.
    """

    name: str
    image: ArrayLike
    corners: Sequence[tuple[int, int]]


@styled
def marked_tiles(pictures: Sequence[MarkedPicture], tile: int, colour: str, *, across: int = 3) -> Figure:
    """Show pictures, each with its own grey scale, and outline tiles on them.

    Parameters
    ----------
    pictures
        What is shown.
    tile
        Side of the tiles in px.
    colour
        Of the outlines.
    across
        Pictures in a row.

    Raises
    ------
    InputError
        If there is no picture.
    """
    if not pictures:
        raise InputError("no picture to show")
    shapes = [np.shape(picture.image) for picture in pictures]
    rows = -(-len(pictures) // across)
    width = FULL_WIDTH / across
    tallest = max(min(height / wide, _TALLEST) for height, wide in shapes)
    figure = new_figure(FULL_WIDTH, rows * (width * tallest + 0.3))
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for axes in panels[len(pictures) :]:
        axes.set_axis_off()
    for axes, picture in zip(panels, pictures, strict=False):
        show_grey(axes, picture.image, robust_limits([picture.image]))
        axes.set_anchor("N")
        axes.set_title(picture.name, fontsize=8, pad=3)
        for top, left in picture.corners:
            axes.add_patch(Rectangle((left - 0.5, top - 0.5), tile, tile, fill=False, edgecolor=colour, linewidth=1.2))
    return figure
