"""Running predictors over labelled data and counting what they get right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol, runtime_checkable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.arrays import Float32, Integers
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap
from beamforge.evaluation.confusion import Counts, confusion, tile_confusions
from beamforge.evaluation.scores import Scores
from beamforge.predictor import Predictor
from beamforge.stack import check_pair, classes_of


@runtime_checkable
class Indexed(Protocol):
    """A map-style data set: pairs of image and labels by number."""

    def __len__(self) -> int:
        """Count the pairs."""
        ...

    def __getitem__(self, index: int, /) -> tuple[Any, Any]:
        """Give a pair."""
        ...


LabelledImages = Iterable[tuple[Any, Any]] | Indexed
"""Pairs of an image (channel, y, x) and labels (y, x), NumPy arrays or CPU tensors."""


@dataclass(frozen=True)
class MeasuredImage:
    """A whole labelled measurement, judged tile by tile.

    The predictor sees windows of the image with their real surroundings; the tiles only group pixels for the tile
    means and the intervals.

    Attributes
    ----------
    stack
        (channel, y, x), may be lazy.
    labels
        (y, x), 255 = ignore.
    tile
        Side in px of the tiles that are counted.
    window
        Side in px of what is predicted at once, without the predictor's halo.
    """

    stack: xr.DataArray
    labels: xr.DataArray
    tile: int = 192
    window: int = 512

    def __post_init__(self) -> None:
        """Refuse labels of another size."""
        check_pair(self.stack, self.labels)


Judged = LabelledImages | MeasuredImage


def evaluate(predictor: Predictor, dataset: Judged, *, batch: int = 8, bootstrap: Bootstrap | None = None) -> Scores:
    """Judge a predictor on labelled images, each of which counts as one tile.

    Parameters
    ----------
    predictor
        What is judged.
    dataset
        Pairs (image, labels), or a `MeasuredImage`. A data set that has a length and can be indexed is read from 0 to
        its length, even if more could be drawn. Labels of 255 and pixels with a channel that is not finite do not
        count.
    batch
        Images predicted at once.
    bootstrap
        How the intervals over tiles are computed.

    Raises
    ------
    InputError
        If classes or channels of predictor and data differ, or no pixel can be judged.
    """
    counts = count_confusions({"": predictor}, dataset, batch=batch)[""]
    return Scores.from_confusions(counts, predictor.classes.names, bootstrap)


def evaluate_image(
    predictor: Predictor,
    stack: xr.DataArray,
    labels: xr.DataArray,
    *,
    tile: int = 192,
    window: int = 512,
    bootstrap: Bootstrap | None = None,
) -> Scores:
    """Judge a predictor on a whole measured image; see `MeasuredImage` and `evaluate`."""
    return evaluate(predictor, MeasuredImage(stack, labels, tile, window), bootstrap=bootstrap)


def count_confusions(predictors: Mapping[str, Predictor], dataset: Judged, *, batch: int = 8) -> dict[str, Counts]:
    """Count the confusions (tile, class, class) of several predictors in one pass over the data.

    All predictors see the same tiles in the same order, so that their scores can be compared in pairs. Tiles without
    a pixel to count are left out.
    """
    if isinstance(dataset, MeasuredImage):
        for name, predictor in predictors.items():
            _check_classes(name, predictor, classes_of(dataset.labels).names)
        finite = _finite(dataset.stack)
        return {name: _count_in_image(predictor, dataset, finite) for name, predictor in predictors.items()}
    declared = getattr(dataset, "classes", None)
    for name, predictor in predictors.items():
        if declared is not None:
            _check_classes(name, predictor, declared.names)
    found: dict[str, list[Counts]] = {name: [] for name in predictors}
    for images, labels in _batches(_pairs(dataset), batch):
        valid: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(images), axis=1)
        for name, predictor in predictors.items():
            predicted = predict_labels(predictor, images)
            count = len(predictor.classes)
            found[name] += [
                confusion(truth, guess, count, valid=counted)
                for truth, guess, counted in zip(labels, predicted, valid, strict=True)
            ]
    if predictors and not any(found.values()):
        raise InputError("the data set to judge on is empty")
    return {name: _without_empty(np.stack(counts)) for name, counts in found.items()}


def predict_labels(predictor: Predictor, images: Float32) -> NDArray[np.uint8]:
    """Give the most probable class of every pixel.

    Sides that are no multiple of what the predictor needs are filled up by mirroring, and the filling is cut off.

    Parameters
    ----------
    predictor
        What predicts.
    images
        float32 (batch, channel, y, x).

    Returns
    -------
    uint8 (batch, y, x).

    Raises
    ------
    InputError
        If the number of channels differs.
    """
    labels: NDArray[np.uint8] = np.argmax(_log_probabilities(predictor, images), axis=1).astype(np.uint8)
    return labels


def _log_probabilities(predictor: Predictor, images: Float32) -> Float32:
    """Predict images (batch, channel, y, x) of any sides; see `predict_labels`."""
    if images.shape[1] != len(predictor.channels):
        raise InputError(f"the image has {images.shape[1]} channels but the predictor takes {len(predictor.channels)}")
    height, width = images.shape[-2:]
    missing = [-side % predictor.multiple for side in (height, width)]
    if any(missing):
        images = np.pad(images, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1])), mode="symmetric")
    return predictor.log_probabilities(images)[..., :height, :width]


def predict_image(predictor: Predictor, stack: xr.DataArray, window: int = 512) -> NDArray[np.uint8]:
    """Give the most probable class of every pixel of a whole stack, window by window.

    Every window is predicted with the predictor's halo of real pixels around it, of which only the image's own border
    has none.

    Parameters
    ----------
    predictor
        What predicts.
    stack
        (channel, y, x), may be lazy: only one window is in memory.
    window
        Side in px of what is kept of each prediction.

    Returns
    -------
    uint8 (y, x).
    """
    labels = np.empty((stack.sizes["y"], stack.sizes["x"]), dtype=np.uint8)
    for place, seen, inner in _windows(predictor, stack, window):
        labels[place] = predict_labels(predictor, seen[None])[0][inner]
    return labels


def predict_probability(predictor: Predictor, stack: xr.DataArray, number: int, window: int = 512) -> Float32:
    """Give the probability of one class in every pixel of a whole stack; see `predict_image`.

    Parameters
    ----------
    number
        Of the class.

    Returns
    -------
    float32 (y, x).
    """
    probability = np.empty((stack.sizes["y"], stack.sizes["x"]), dtype=np.float32)
    for place, seen, inner in _windows(predictor, stack, window):
        probability[place] = np.exp(_log_probabilities(predictor, seen[None])[0][number][inner])
    return probability


def predict_log_probabilities(predictor: Predictor, stack: xr.DataArray, window: int = 512) -> Float32:
    """Give the log-probability of every class in every pixel of a whole stack: float32 (class, y, x).

    See `predict_image`; the result is held in memory whole.
    """
    result = np.empty((len(predictor.classes), stack.sizes["y"], stack.sizes["x"]), dtype=np.float32)
    for place, seen, inner in _windows(predictor, stack, window):
        result[:, *place] = _log_probabilities(predictor, seen[None])[0][:, *inner]
    return result


Place = tuple[slice, slice]


def _windows(predictor: Predictor, stack: xr.DataArray, window: int) -> Iterator[tuple[Place, Float32, Place]]:
    """Cut a stack into windows: where each lies, its pixels with the halo around, and where it lies in these."""
    height, width = stack.sizes["y"], stack.sizes["x"]
    # Windows that start at multiples of the network's stride see the same pixels as the whole image would.
    step = -(-window // predictor.multiple) * predictor.multiple
    halo = -(-predictor.halo // predictor.multiple) * predictor.multiple
    for top, left in product(range(0, height, step), range(0, width, step)):
        bottom, right = min(height, top + step), min(width, left + step)
        rows = slice(max(0, top - halo), min(height, bottom + halo))
        columns = slice(max(0, left - halo), min(width, right + halo))
        inner = slice(top - rows.start, bottom - rows.start), slice(left - columns.start, right - columns.start)
        image = np.asarray(stack[:, rows, columns].values, dtype=np.float32)
        yield (slice(top, bottom), slice(left, right)), image, inner


def _finite(stack: xr.DataArray) -> NDArray[np.bool_]:
    """Find the pixels (y, x) of which every channel is finite, channel by channel as all may not fit into memory."""
    valid = np.ones((stack.sizes["y"], stack.sizes["x"]), dtype=bool)
    for channel in stack:
        valid &= np.isfinite(channel.values)
    return valid


def _count_in_image(predictor: Predictor, image: MeasuredImage, valid: NDArray[np.bool_]) -> Counts:
    predicted = predict_image(predictor, image.stack, image.window)
    truth = image.labels.values
    return tile_confusions(truth, predicted, len(predictor.classes), image.tile, valid=valid)


def _check_classes(name: str, predictor: Predictor, names: tuple[str, ...]) -> None:
    if predictor.classes.names != names:
        raise InputError(
            f"the predictor{f' {name!r}' if name else ''} knows the classes {list(predictor.classes.names)} but the "
            f"labels are of {list(names)}; judge it on labels of its own classes, in their order"
        )


def _pairs(dataset: LabelledImages) -> Iterator[tuple[Float32, Integers]]:
    """Give images and labels as arrays."""
    # A simulated data set takes any index and would never end by itself, hence its length comes first.
    pairs = (dataset[index] for index in range(len(dataset))) if isinstance(dataset, Indexed) else dataset
    for image, labels in pairs:
        image, labels = np.asarray(image, dtype=np.float32), np.asarray(labels)
        if image.ndim != 3 or image.shape[1:] != labels.shape:
            raise InputError(
                f"an image of shape {image.shape} comes with labels of shape {labels.shape}, expected (channel, y, x) "
                "and (y, x)"
            )
        yield image, labels


def _batches(pairs: Iterable[tuple[Float32, Integers]], size: int) -> Iterator[tuple[Float32, Integers]]:
    """Stack neighbours of the same shape."""
    images: list[Float32] = []
    labels: list[Integers] = []
    for image, truth in pairs:
        if images and (len(images) == size or image.shape != images[0].shape):
            yield np.stack(images), np.stack(labels)
            images, labels = [], []
        images.append(image)
        labels.append(truth)
    if images:
        yield np.stack(images), np.stack(labels)


def _without_empty(counts: Counts) -> Counts:
    return counts[counts.any(axis=(1, 2))]
