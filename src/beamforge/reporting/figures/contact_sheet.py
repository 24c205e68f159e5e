"""Simulated samples with their labels, measured images beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from beamforge.errors import InputError
from beamforge.reporting.pictures import class_handles, label_picture, robust_limits, scale_bar, show_colours, show_grey
from beamforge.reporting.style import FULL_WIDTH, INK, bare, new_figure, styled
from beamforge.stack import Classes

_TAILS = 0.001
"""Part of the pixels that may saturate at either end: bright spots are what some pictures are about."""


@dataclass(frozen=True)
class Picture:
    """An image of one channel (y, x), its labels (y, x), or None where there are none, and what is written above."""

    image: ArrayLike
    labels: ArrayLike | None = None
    title: str = ""


@styled
def contact_sheet(
    simulated: Sequence[Picture],
    measured: Sequence[Picture],
    classes: Classes,
    *,
    across: int = 4,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
) -> Figure:
    """Show simulated samples and, under them, measured images, each above its labels; either may be missing.

    Simulated images share a grey scale, measured ones have another: their units may differ.

    Parameters
    ----------
    simulated, measured
        Images; the rows of simulated ones are marked as such.
    classes
        Names and colours of the labels.
    across
        Images in a row.
    pixel_size, pixel_size_unit
        Side of a pixel of the simulated images.

    Raises
    ------
    InputError
        If there is no image.
    """
    if not simulated and not measured:
        raise InputError("no image to show")
    rows: list[tuple[str, list[tuple[Picture, bool]]]] = []
    for kind, pictures in (("simulated", simulated), ("measured", measured)):
        for start in range(0, len(pictures), across):
            part = list(pictures[start : start + across])
            rows.append((kind, [(picture, False) for picture in part]))
            if any(picture.labels is not None for picture in part):
                rows.append((f"{kind}:\nlabels", [(picture, True) for picture in part]))
    side = (FULL_WIDTH - 0.9) / across
    titled = sum(any(picture.title and not labels for picture, labels in cells) for _, cells in rows)
    height = len(rows) * (side + 0.05) + 0.2 * titled + 0.3 + 0.22 * -(-len(classes) // 5)
    figure = new_figure(FULL_WIDTH, height)
    grid = figure.subplots(len(rows), across, squeeze=False)
    limits = {
        kind: robust_limits([picture.image for picture in pictures], tails=_TAILS)
        for kind, pictures in (("simulated", simulated), ("measured", measured))
        if pictures
    }
    for axes_row, (title, cells) in zip(grid, rows, strict=True):
        for axes in axes_row[len(cells) :]:
            axes.set_axis_off()
        for axes, (picture, labels) in zip(axes_row, cells, strict=False):
            _show(axes, picture, classes, limits[title.partition(":")[0]], labels=labels)
        axes_row[0].set_ylabel(title, rotation=0, ha="right", va="center", color=INK, fontsize=8.5)
    scale_bar(grid[0, 0], pixel_size, pixel_size_unit)
    figure.legend(handles=class_handles(classes), loc="outside lower center", ncols=5, fontsize=8.5)
    return figure


def _show(axes: Axes, picture: Picture, classes: Classes, limits: tuple[float, float], *, labels: bool) -> None:
    if not labels:
        show_grey(axes, picture.image, limits)
        if picture.title:
            axes.set_title(picture.title, fontsize=8, pad=3)
    elif picture.labels is not None:
        show_colours(axes, label_picture(picture.labels, classes))
    else:
        bare(axes)
