"""Pixel classifiers trained on several slices, the row that a network must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.random import Generator

from beamforge.classical.pixels import Filters, PixelClassifier
from beamforge.io.slices import AnnotatedSlices
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
