"""Pixel classifiers that learn from simulated samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, field_validator

from beamforge.classical.pixels import Filters
from beamforge.classical.pixels.classifier import PixelClassifier
from beamforge.classical.pixels.methods import METHODS as ESTIMATORS
from beamforge.errors import one_of
from beamforge.recipes.methods.base import METHODS, Labelled, Method
from beamforge.stack import IGNORE, Channel, Classes, as_labels, as_stack


@METHODS.register("pixels")
class Pixels(Method):
    """Judges each pixel by multi-scale features; see `beamforge.classical.pixels.PixelClassifier`.

    Attributes
    ----------
    estimator
        A name in `beamforge.classical.pixels.METHODS`, such as ``random_forest`` or ``otsu``.
    sigmas
        Scales of the features in px.
    pixels_per_class
        Most pixels of a class to learn from.
    """

    fitted: ClassVar[type[BaseModel]] = PixelClassifier

    estimator: str = "random_forest"
    sigmas: tuple[PositiveFloat, ...] = Field(default=(1.0, 2.0, 4.0))
    pixels_per_class: PositiveInt = 2000

    @field_validator("estimator")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in ESTIMATORS:
            raise ValueError(str(one_of("estimator", name, ESTIMATORS)))
        return name

    def fit(
        self, samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], rng: Generator
    ) -> BaseModel:
        """Learn from pixels of all samples."""
        filters = Filters(sigmas_px=self.sigmas)
        stack, labels = side_by_side(samples, classes, channels, margin=filters.halo)
        return PixelClassifier.fit(
            stack, labels, self.estimator, rng, filters=filters, pixels_per_class=self.pixels_per_class
        )


def side_by_side(
    samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], margin: int
) -> tuple[xr.DataArray, xr.DataArray]:
    """Lay samples of one height beside one another; labels within `margin` px of a seam are ignored.

    Filters mix what lies across a seam, so nothing is learnt there. Samples keep at least their middle half.
    """
    parts: list[np.ndarray[Any, Any]] = []
    for _, labels in samples:
        edge = min(margin, labels.shape[1] // 4)
        part = np.full(labels.shape, IGNORE, np.uint8)
        inner = slice(edge, labels.shape[1] - edge)
        part[:, inner] = labels[:, inner]
        parts.append(part)
    stack = as_stack(np.concatenate([image for image, _ in samples], axis=2), [c.model_dump() for c in channels])
    return stack, as_labels(np.concatenate(parts, axis=1), classes)
