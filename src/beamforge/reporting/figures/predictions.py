"""What networks made of synthetic and measured images: image, truth, prediction and error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from beamforge.errors import InputError
from beamforge.reporting.pictures import (
    class_handles,
    error_picture,
    label_picture,
    robust_limits,
    scale_bar,
    show_colours,
    show_grey,
)
from beamforge.reporting.style import FULL_WIDTH, WRONG, new_figure, styled
from beamforge.stack import IGNORE, Classes


@dataclass(frozen=True)
class Example:
    """One image with its truth and what a predictor made of it.

    Attributes
    ----------
    image
        One channel (y, x).
    truth, prediction
        Labels (y, x); 255 in the truth is ignored.
    trained, evaluated
        On what the predictor was trained and what the image is, such as ``"synthetic"`` and ``"measured"``.
    title
        Heading of the panels; by default what was trained on and evaluated on.
    score
        Something short for the heading's second line, such as ``"Dice 0.953"``.
    simulated
        Whether the image is simulated; its title then says so.
    """

    image: ArrayLike
    truth: ArrayLike
    prediction: ArrayLike
    trained: str
    evaluated: str
    title: str = ""
    score: str = ""
    simulated: bool = False


@styled
def prediction_panels(
    examples: Sequence[Example],
    classes: Classes,
    *,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
) -> Figure:
    """Lay examples out as the train x evaluate matrix; each cell holds image, truth, prediction and error map.

    Rows are what was trained on, columns what was evaluated on, both in order of first appearance. Images of one
    column share their grey scale.

    Parameters
    ----------
    examples
        At most one for each (trained, evaluated).
    classes
        Names and colours of the labels.
    pixel_size, pixel_size_unit
        Side of a pixel.

    Raises
    ------
    InputError
        If there is no example, two share a cell, or the shapes inside one differ.
    """
    cells = _cells(examples)
    rows = list(dict.fromkeys(example.trained for example in examples))
    columns = list(dict.fromkeys(example.evaluated for example in examples))
    limits = {c: robust_limits([e.image for e in examples if e.evaluated == c]) for c in columns}
    height, width = np.shape(examples[0].image)
    cell = FULL_WIDTH / len(columns) * height / width + 0.8
    figure = new_figure(FULL_WIDTH, min(len(rows) * cell + 0.3 + 0.25 * -(-len(classes) // 5), 11.0))
    parts = figure.subfigures(len(rows), len(columns), squeeze=False, wspace=0.03)
    for row, trained in zip(parts, rows, strict=True):
        for part, evaluated in zip(row, columns, strict=True):
            if (trained, evaluated) in cells:
                example = cells[trained, evaluated]
                _draw(part, example, classes, limits[evaluated], (pixel_size, pixel_size_unit))
    handles = class_handles(classes, ignored=any((np.asarray(e.truth) == IGNORE).any() for e in examples))
    figure.legend(
        handles=[*handles, Patch(facecolor=WRONG, label="wrong")], loc="outside lower center", ncols=5, fontsize=8.5
    )
    return figure


def _cells(examples: Sequence[Example]) -> dict[tuple[str, str], Example]:
    if not examples:
        raise InputError("no example to show")
    cells: dict[tuple[str, str], Example] = {}
    for example in examples:
        place = (example.trained, example.evaluated)
        shapes = {np.shape(part) for part in (example.image, example.truth, example.prediction)}
        if len(shapes) > 1:
            raise InputError(f"image, truth and prediction of {place} have the shapes {sorted(shapes)}")
        if place in cells:
            raise InputError(f"two examples are trained on {place[0]} and evaluated on {place[1]}")
        cells[place] = example
    return cells


def _draw(
    part: SubFigure,
    example: Example,
    classes: Classes,
    limits: tuple[float, float],
    pixel_size: tuple[float | None, str],
) -> None:
    heading = example.title or f"trained on {example.trained}, evaluated on {example.evaluated}"
    part.suptitle(f"{heading}\n{example.score}" if example.score else heading, fontsize=8.5)
    image, truth, prediction, error = part.subplots(2, 2).ravel()
    show_grey(image, example.image, limits)
    scale_bar(image, *pixel_size)
    show_colours(truth, label_picture(example.truth, classes))
    show_colours(prediction, label_picture(example.prediction, classes))
    show_colours(error, error_picture(example.truth, example.prediction))
    titles = ("image, simulated" if example.simulated else "image", "truth", "prediction", "error")
    for axes, title in zip((image, truth, prediction, error), titles, strict=True):
        axes.set_title(title, fontsize=8, pad=3)
