"""Micrographs in grey or colour: measured beside simulated, and boundaries found, missed and false on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt, maximum_filter

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.evaluation.connectivity import skeleton
from beamforge.reporting.pictures import robust_limits, show_colours
from beamforge.reporting.style import FULL_WIDTH, INK, new_figure, styled

FOUND, MISSED, FALSE = "#ffffff", "#ffd400", "#e8000b"
"""Colours of boundaries that are right, that were missed, and that are not there."""


def micrograph_picture(image: Float32) -> NDArray[np.uint8]:
    """Make RGB (y, x, 3) of an image (channel, y, x): three channels are red, green, blue, else the first is grey.

    Values from 0 to 255 are shown as they are, others between robust limits.
    """
    shown = image if len(image) == 3 else image[:1].repeat(3, axis=0)
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    if low < 0.0 or not 16.0 < high <= 255.0:
        low, high = robust_limits([shown])
        shown = (shown - low) * (255.0 / (high - low))
    picture: NDArray[np.uint8] = np.nan_to_num(np.clip(shown, 0.0, 255.0)).astype(np.uint8).transpose(1, 2, 0)
    return picture


def overlay(image: Float32, predicted: ArrayLike, truth: ArrayLike | None, tolerance: float) -> NDArray[np.uint8]:
    """Draw the skeletons of boundaries onto an image (channel, y, x), as RGB (y, x, 3).

    Parameters
    ----------
    image
        The micrograph.
    predicted, truth
        Masks (y, x); without a truth all that was predicted is drawn as right.
    tolerance
        Largest distance in px between skeletons that are the same boundary.

    Raises
    ------
    InputError
        If a mask has another size.
    """
    picture = micrograph_picture(image)
    masks = [np.asarray(mask, bool) for mask in (predicted, truth) if mask is not None]
    for mask in masks:
        if mask.shape != picture.shape[:2]:
            raise InputError(f"a mask of shape {mask.shape} over an image of {picture.shape[:2]} px (y, x)")
    lines = [skeleton(mask) for mask in masks]
    found = lines[0]
    real = lines[-1]
    for where, colour in (
        (real & ~_near(found, tolerance), MISSED),
        (found & ~_near(real, tolerance), FALSE),
        (found & _near(real, tolerance), FOUND),
    ):
        picture[maximum_filter(where, size=2)] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return picture


@styled
def micrograph_sheet(rows: Mapping[str, Sequence[Float32]]) -> Figure:
    """Show images (channel, y, x) in rows by what they are, such as ``measured`` and ``simulated``.

    Raises
    ------
    InputError
        If there is nothing to show.
    """
    across = max((len(images) for images in rows.values()), default=0)
    if across == 0:
        raise InputError("no image to show")
    side = (FULL_WIDTH - 0.9) / across
    figure = new_figure(FULL_WIDTH, len(rows) * (side + 0.06))
    grid = figure.subplots(len(rows), across, squeeze=False)
    for axes_row, (name, images) in zip(grid, rows.items(), strict=True):
        for axes in axes_row[len(images) :]:
            axes.set_axis_off()
        for axes, image in zip(axes_row, images, strict=False):
            show_colours(axes, micrograph_picture(image))
        axes_row[0].set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=8.5)
    return figure


@styled
def boundary_overlays(
    image: Float32, predictions: Mapping[str, ArrayLike], truth: ArrayLike | None, tolerance: float, *, across: int = 3
) -> Figure:
    """Show an image and what each row of a table found in it, with right, missed and false boundaries.

    Parameters
    ----------
    image
        (channel, y, x).
    predictions
        Masks (y, x) by what made them.
    truth
        Mask (y, x); None where nobody annotated the image.
    tolerance
        See `overlay`.
    across
        Pictures in a row.
    """
    pictures = {"image": micrograph_picture(image)}
    pictures |= {name: overlay(image, mask, truth, tolerance) for name, mask in predictions.items()}
    rows = -(-len(pictures) // across)
    height, width = image.shape[1:]
    figure = new_figure(FULL_WIDTH, rows * (FULL_WIDTH / across * height / width + 0.3) + 0.35)
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for axes in panels[len(pictures) :]:
        axes.set_axis_off()
    for axes, (name, picture) in zip(panels, pictures.items(), strict=False):
        show_colours(axes, picture)
        axes.set_title(name, fontsize=8.5, pad=3)
    meaning = {"found": FOUND} if truth is None else {"found": FOUND, "missed": MISSED, "false": FALSE}
    handles = [Patch(facecolor=colour, edgecolor=INK, label=name) for name, colour in meaning.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8.5)
    return figure


def _near(lines: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    if not lines.any():
        return np.zeros(lines.shape, bool)
    near: NDArray[np.bool_] = distance_transform_edt(~lines) <= tolerance
    return near
