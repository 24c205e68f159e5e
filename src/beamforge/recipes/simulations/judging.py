"""Judging the rows of a simulation recipe: each predicts every image once, and all scores rest on that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beamforge.evaluation import Bootstrap, Matrix, confusion, matrix_of_counts, predict_image, predict_labels
from beamforge.evaluation import tile_confusions as confusions_by_tile
from beamforge.evaluation.tasks import create_task, judge_task
from beamforge.predictor import Predictor
from beamforge.recipes.simulations.measured import window_of_interest
from beamforge.stack import Classes

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from beamforge.evaluation import Counts
    from beamforge.learning.data import LabelledImages

_SHOWN = 2
_LARGEST_SHOWN = 640
"""Side in px of the part of a measured image that is shown."""
_TILE = 192
"""Side in px of the tiles of a measured image that its intervals are taken over."""


@dataclass(frozen=True)
class Predicted:
    """Images of one data set, their truth, and what every row made of them.

    Attributes
    ----------
    images
        Each (channel, y, x).
    truth
        Labels (y, x) of each; None where nobody annotated it.
    found
        Labels (y, x) of each image, by row.
    whole
        Whether they are whole measured images, of which tiles are counted, and not samples that are a tile each.
    """

    images: Sequence[NDArray[Any]]
    truth: Sequence[NDArray[Any] | None]
    found: Mapping[str, Sequence[NDArray[Any]]]
    whole: bool

    @classmethod
    def of_samples(cls, samples: LabelledImages, predictors: Mapping[str, Predictor]) -> Predicted:
        """Predict simulated samples."""
        pairs = [samples.arrays(number) for number in range(len(samples))]
        found = {row: [predict_labels(one, image[None])[0] for image, _ in pairs] for row, one in predictors.items()}
        return cls([image for image, _ in pairs], [labels for _, labels in pairs], found, whole=False)

    @classmethod
    def of_image(
        cls, stack: xr.DataArray, truth: NDArray[Any] | None, predictors: Mapping[str, Predictor]
    ) -> Predicted:
        """Predict a measured image window by window."""
        found = {row: [predict_image(one, stack)] for row, one in predictors.items()}
        return cls([np.asarray(stack.values)], [truth], found, whole=True)

    def counts(self, row: str, classes: int) -> Counts:
        """Count a row's confusions by tile."""
        tables = []
        for image, truth, found in zip(self.images, self.truth, self.found[row], strict=True):
            if truth is not None:
                valid = np.isfinite(image).all(axis=0)
                if self.whole:
                    tables.append(confusions_by_tile(truth, found, classes, _TILE, valid=valid))
                else:
                    tables.append(confusion(truth, found, classes, valid=valid)[None])
        counted = np.concatenate(tables)
        return counted[counted.any(axis=(1, 2))]

    def shown(self, channel: int) -> Iterator[dict[str, NDArray[Any]]]:
        """Give the first images, or the part of a whole one with the most of interest, as the report shows them."""
        for number in range(min(_SHOWN, len(self.images))):
            truth = self.truth[number]
            image = self.images[number][channel]
            part = window_of_interest(truth, (image.shape[0], image.shape[1]), _LARGEST_SHOWN)
            known = {} if truth is None else {"truth": truth[part]}
            yield {
                "image": image[part],
                **known,
                **{str(n): found[number][part] for n, found in enumerate(self.found.values())},
            }


def overlap(
    judged: Mapping[str, Predicted], rows: Mapping[str, Predictor], classes: Classes, bootstrap: Bootstrap
) -> Matrix:
    """Score the overlap of every row on every data set that has a truth."""
    counts = {name: {row: one.counts(row, len(classes)) for row in rows} for name, one in judged.items()}
    return matrix_of_counts(counts, dict.fromkeys(rows, classes.names), bootstrap=bootstrap)


def task_scores(
    tasks: Mapping[str, Mapping[str, Any]], judged: Mapping[str, Predicted], classes: Classes, bootstrap: Bootstrap
) -> dict[str, dict[str, dict[str, Any]]]:
    """Score every row on every data set that has a truth: data set, row, score, as JSON."""
    built = [create_task(name, settings) for name, settings in tasks.items()]
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset, one in judged.items():
        table[dataset] = {}
        for row, found in one.found.items():
            pairs = [(guess, true) for guess, true in zip(found, one.truth, strict=True) if true is not None]
            scores: dict[str, Any] = {}
            for task in built:
                scores |= judge_task(task, pairs, classes, bootstrap)
            table[dataset][row] = {n: None if v is None else v.model_dump(mode="json") for n, v in scores.items()}
    return table
