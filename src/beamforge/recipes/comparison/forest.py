"""Pixel classifiers trained on several slices, the row that a network must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.random import Generator

from beamforge.classical.pixels import Filters, PixelClassifier
from beamforge.evaluation import confusion
from beamforge.evaluation.overlap import mean_iou
from beamforge.io.slices import AnnotatedSlices
from beamforge.recipes.comparison.judging import predict_slices
from beamforge.stack import IGNORE, Channel, Classes, as_labels, as_stack


def fit_pixel_classifier(
    slices: AnnotatedSlices, numbers: Sequence[int], method: str, rng: Generator, *, pixels_per_class: int = 4000
) -> PixelClassifier:
    """Train a pixel classifier on slices laid one above the other.

    Every slice is continued by its border pixels as far as the features reach, and the seam is not labelled: no slice
    sees another one.

    Parameters
    ----------
    slices, numbers
        The slices, and which of them to learn from.
    method
        A name in `beamforge.classical.pixels.METHODS`.
    rng
        Random stream.
    pixels_per_class
        Most pixels of a class to learn from.
    """
    filters = Filters()
    stack, labels = lay_out(slices, numbers, filters.halo)
    return PixelClassifier.fit(stack, labels, method, rng, filters=filters, pixels_per_class=pixels_per_class)


def with_best_prior(
    classifier: PixelClassifier, slices: AnnotatedSlices, train: Sequence[int], validation: Sequence[int]
) -> PixelClassifier:
    """Choose the prior of a classifier, as it learnt every class equally often, by mean IoU on other slices.

    Tried are equal classes, their shares in the training slices, and the roots of these. It is to a classifier what the
    choice of the best epoch is to a network.

    Parameters
    ----------
    classifier
        Trained.
    slices
        The data.
    train, validation
        Numbers of the slices it learnt from, and of those to choose by.
    """
    counts = dict(zip(slices.annotated, slices.class_counts(), strict=True))
    shares = np.maximum(np.sum([counts[number] for number in train], axis=0), 1).astype(np.float64)
    candidates = [classifier]
    for power in (0.5, 1.0):
        weights = shares**power
        candidates.append(classifier.model_copy(update={"prior": tuple(weights / weights.sum())}))

    def score(candidate: PixelClassifier) -> float:
        found = predict_slices(candidate, slices, validation, 0).labels
        truth = {number: slices.labels(number) for number in validation}
        total = np.sum([confusion(truth[n], found[n], len(slices.classes)) for n in validation], axis=0)
        return float(mean_iou(total))

    return max(candidates, key=score)


def reweighted(classifier: PixelClassifier, factors: Sequence[float]) -> PixelClassifier:
    """Multiply the prior of a classifier by a factor for each class."""
    classes = len(classifier.classes)
    before = np.full(classes, 1 / classes) if classifier.prior is None else np.array(classifier.prior)
    prior = before * np.asarray(factors)
    return classifier.model_copy(update={"prior": tuple(float(share) for share in prior / prior.sum())})


def lay_out(slices: AnnotatedSlices, numbers: Sequence[int], halo: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Lay slices one above the other with `halo` px around each that are not labelled."""
    width = max(slices.labels(number).shape[1] for number in numbers)
    images, labels = [], []
    for number in numbers:
        image, marked = slices.image(number), slices.labels(number)
        right = width - marked.shape[1] + halo
        images.append(np.pad(image, ((0, 0), (halo, halo), (halo, right)), mode="edge"))
        labels.append(np.pad(marked, ((halo, halo), (halo, right)), constant_values=IGNORE))
    classes: Classes = slices.classes
    channels: tuple[Channel, ...] = slices.channels
    return as_stack(np.concatenate(images, axis=1), channels), as_labels(np.concatenate(labels), classes)
