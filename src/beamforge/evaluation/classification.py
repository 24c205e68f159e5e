"""Judging classifiers of tiles: error rate, what is taken for what, and every tile's probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.arrays import Float32, Float64, Float64Field, Int64Field
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Estimate
from beamforge.evaluation.confusion import confusion
from beamforge.evaluation.intervals import agresti_coull
from beamforge.evaluation.judge import Indexed
from beamforge.evaluation.overlap import ratio
from beamforge.stack import IGNORE, Channel, Classes

_BATCH = 32


class TileClassifier(Protocol):
    """What gives every tile one class."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the input channels are."""
        ...

    @property
    def classes(self) -> Classes:
        """What the output classes are."""
        ...

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) to log-probabilities (batch, class)."""
        ...


class ClassificationScores(BaseModel):
    """How a classifier does on tiles, JSON-able.

    Attributes
    ----------
    error
        Share of the tiles given a wrong class, with its Agresti-Coull interval (tiles taken as independent: those of
        one image are not, so judge few tiles of many images).
    level
        Level of the interval.
    classes
        Names of the classes.
    confusion
        Tiles (true class, predicted class).
    truth
        int64 (tile,), 255 for tiles that do not count.
    probabilities
        float64 (tile, class).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    error: Estimate
    level: float
    classes: tuple[str, ...]
    confusion: Int64Field
    truth: Int64Field
    probabilities: Float64Field

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.probabilities.shape != (len(self.truth), len(self.classes)):
            raise ValueError(f"probabilities {self.probabilities.shape} for {len(self.truth)} tiles of {self.classes}")
        return self

    @classmethod
    def from_probabilities(
        cls, truth: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], *, level: float = 0.99
    ) -> Self:
        """Compute the scores.

        Parameters
        ----------
        truth
            Class numbers (tile,), 255 = ignore.
        probabilities
            (tile, class); the largest one is the prediction.
        classes
            Names of the classes.
        level
            Level of the interval of the error rate.

        Raises
        ------
        InputError
            If no tile counts.
        """
        probabilities = np.asarray(probabilities, dtype=np.float64)
        counts = confusion(truth, probabilities.argmax(axis=1), len(classes))
        tiles = int(counts.sum())
        if tiles == 0:
            raise InputError("there is no tile to judge: none has a class")
        wrong = tiles - int(counts.diagonal().sum())
        error = Estimate(value=wrong / tiles, interval=agresti_coull(wrong, tiles, level))
        return cls(
            error=error,
            level=level,
            classes=classes,
            confusion=counts,
            truth=np.asarray(truth, dtype=np.int64),
            probabilities=probabilities,
        )

    @property
    def tiles(self) -> int:
        """How many tiles count."""
        return int(self.confusion.sum())

    @property
    def recall(self) -> Float64:
        """Share of the tiles of each true class that were found, NaN for a class without tiles."""
        return ratio(self.confusion.diagonal().astype(np.float64), self.confusion.sum(axis=1).astype(np.float64))

    @property
    def precision(self) -> Float64:
        """Share of the tiles given each class that are of it, NaN for a class never given."""
        return ratio(self.confusion.diagonal().astype(np.float64), self.confusion.sum(axis=0).astype(np.float64))

    @property
    def balanced_error(self) -> float:
        """Mean over the classes that occur of the share of their tiles that was missed."""
        return float(1 - np.nanmean(self.recall))

    def misclassified(self) -> list[int]:
        """Number the wrong tiles, the surest mistake first."""
        predicted = self.probabilities.argmax(axis=1)
        wrong = np.flatnonzero((self.truth != IGNORE) & (predicted != self.truth))
        sureness = self.probabilities[wrong].max(axis=1)
        return [int(number) for number in wrong[np.argsort(-sureness, kind="stable")]]


def evaluate_classifier(
    classifier: TileClassifier, data: Indexed | Iterable[tuple[Any, Any]], *, level: float = 0.99
) -> ClassificationScores:
    """Judge a classifier on tiles.

    Parameters
    ----------
    classifier
        What is judged.
    data
        Pairs (image, class) such as `TileClasses`: image (channel, y, x), class a number or an array of one; a data set
        that can be indexed is read from 0 to its length, even if more could be drawn.
    level
        Level of the interval of the error rate.

    Raises
    ------
    InputError
        If classes or channels of classifier and data differ, or no tile can be judged.
    """
    declared = getattr(data, "classes", None)
    if declared is not None and declared.names != classifier.classes.names:
        raise InputError(
            f"the classifier knows the classes {list(classifier.classes.names)} but the tiles are of "
            f"{list(declared.names)}; judge it on tiles of its own classes, in their order"
        )
    truth: list[int] = []
    probabilities: list[Float32] = []
    for images, classes in _batches(data):
        if images.shape[1] != len(classifier.channels):
            raise InputError(f"a tile has {images.shape[1]} channels, the classifier takes {len(classifier.channels)}")
        probabilities.append(np.exp(classifier.log_probabilities(images)))
        truth += classes
    if not truth:
        raise InputError("there is no tile to judge")
    names = classifier.classes.names
    return ClassificationScores.from_probabilities(np.array(truth), np.concatenate(probabilities), names, level=level)


def _batches(data: Indexed | Iterable[tuple[Any, Any]]) -> Iterator[tuple[Float32, list[int]]]:
    """Stack neighbours of the same shape."""
    pairs = (data[number] for number in range(len(data))) if isinstance(data, Indexed) else data
    images: list[Float32] = []
    classes: list[int] = []
    for image, label in pairs:
        array = np.asarray(image, dtype=np.float32)
        number = np.asarray(label)
        if array.ndim != 3 or number.size != 1:
            raise InputError(
                f"a tile of shape {array.shape} comes with labels of shape {number.shape}, expected (channel, y, x) "
                "and one class; give the data as TileClasses(data, rule)"
            )
        if images and (len(images) == _BATCH or array.shape != images[0].shape):
            yield np.stack(images), classes
            images, classes = [], []
        images.append(array)
        classes.append(int(number.item()))
    if images:
        yield np.stack(images), classes
