"""One image, its truth, and what several ways to segment made of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from beamforge.errors import InputError
from beamforge.reporting.pictures import class_handles, label_picture, robust_limits, scale_bar, show_colours, show_grey
from beamforge.reporting.style import FULL_WIDTH, new_figure, styled
from beamforge.stack import IGNORE, Classes

_TAILS = 0.001
"""Part of the pixels that may saturate at either end: bright spots are what some pictures are about."""


@styled
def compared_predictions(
    image: ArrayLike,
    truth: ArrayLike | None,
    predictions: Mapping[str, ArrayLike],
    classes: Classes,
    *,
    across: int = 3,
    simulated: bool = False,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
) -> Figure:
    """Show an image, its truth if there is one, and predictions by their name.

    Parameters
    ----------
    image
        One channel (y, x).
    truth
        Labels (y, x), 255 = ignore; None where nobody annotated the image.
    predictions
        Labels (y, x) by what made them; what follows a line break in a name is written under it.
    classes
        Names and colours of the labels.
    across
        Pictures in a row.
    simulated
        Whether the image is simulated; its title then says so.
    pixel_size, pixel_size_unit
        Side of a pixel.

    Raises
    ------
    InputError
        If a shape differs from the image's.
    """
    maps = {**({"truth": truth} if truth is not None else {}), **predictions}
    for name, labels in maps.items():
        if np.shape(labels) != np.shape(image):
            raise InputError(f"{name!r} has the shape {np.shape(labels)}, the image {np.shape(image)}")
    height, width = np.shape(image)
    rows = -(-(1 + len(maps)) // across)
    cell = FULL_WIDTH / across * height / width + 0.42
    figure = new_figure(FULL_WIDTH, min(rows * cell + 0.3 + 0.22 * -(-len(classes) // 5), 14.0))
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for axes in panels[1 + len(maps) :]:
        axes.set_axis_off()
    show_grey(panels[0], image, robust_limits([image], tails=_TAILS))
    panels[0].set_title("image, simulated" if simulated else "image", fontsize=8.5, pad=3)
    scale_bar(panels[0], pixel_size, pixel_size_unit)
    for axes, (name, labels) in zip(panels[1:], maps.items(), strict=False):
        show_colours(axes, label_picture(labels, classes))
        axes.set_title(name, fontsize=8.5, pad=3)
    ignored = truth is not None and bool((np.asarray(truth) == IGNORE).any())
    figure.legend(handles=class_handles(classes, ignored=ignored), loc="outside lower center", ncols=5, fontsize=8.5)
    return figure
