"""The measured image beside its mask."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from beamforge.reporting.pictures import (
    chosen_channels,
    class_handles,
    grey_bar,
    label_picture,
    pixel_size_of,
    robust_limits,
    scale_bar,
    show_colours,
    show_grey,
)
from beamforge.reporting.style import FULL_WIDTH, new_figure, styled
from beamforge.stack import IGNORE, channels_of, check_pair, classes_of

_WIDE = 1.5
_TALLEST = 9.0
_LEGEND_ROWS = 8


@styled
def measurement(
    stack: xr.DataArray, labels: xr.DataArray, *, channels: Sequence[int] | None = None, simulated: bool = False
) -> Figure:
    """Show channels of a stack beside its labels, with a scale bar and the legend of the classes.

    Parameters
    ----------
    stack
        (channel, y, x); only the channels shown are read.
    labels
        (y, x), ignored pixels are hatched in grey.
    channels
        Numbers of the channels to show; by default the first and the last.
    simulated
        Whether the stack is simulated; the titles then say so.

    Raises
    ------
    InputError
        If the sizes differ or a channel does not exist.
    """
    check_pair(stack, labels)
    shown = chosen_channels(stack, channels, most=2)
    classes, names = classes_of(labels), channels_of(stack)
    height, width = labels.shape
    across = len(shown) + 1 if width / height < _WIDE else 2
    down = math.ceil((len(shown) + 1) / across)
    row = FULL_WIDTH / across * height / width + 0.75
    figure = new_figure(FULL_WIDTH, min(down * row + 0.25 * math.ceil(len(classes) / 5), _TALLEST))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for place, channel in zip(axes, shown, strict=False):
        image = np.asarray(stack.isel(channel=channel).values, dtype=np.float64)
        grey = show_grey(place, image, robust_limits([image]))
        title = names[channel].label
        place.set_title(f"{title}\nsimulated" if simulated else title)
        grey_bar([place], grey, stack.attrs.get("units") or "value", location="bottom", shrink=0.7, aspect=30, pad=0.02)
        scale_bar(place, *pixel_size_of(stack))
    mask = axes[len(shown)]
    show_colours(mask, label_picture(labels.values, classes))
    mask.set_title("Annotation")
    handles = class_handles(classes, ignored=bool((labels.values == IGNORE).any()))
    unused = axes[len(shown) + 1 :]
    for place in unused:
        place.set_axis_off()
    if len(unused):
        unused[-1].legend(handles=handles, loc="center left", ncols=-(-len(handles) // _LEGEND_ROWS))
    else:
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
