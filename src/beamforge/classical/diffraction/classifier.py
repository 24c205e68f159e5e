"""The standard routine as a predictor, to stand beside networks."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.arrays import Float32
from beamforge.classical.diffraction.laplacian import LaplacianSpots
from beamforge.errors import InputError
from beamforge.reduction.projections import CHANNEL
from beamforge.stack import Channel, Classes

_SURE = -20.0
"""Log-probability of the class that was not chosen: a threshold knows no doubt."""


class LaplacianClassifier(BaseModel):
    """Applies `LaplacianSpots` to the contrast of projections; a `beamforge.predictor.Predictor`.

    Attributes
    ----------
    routine
        The four parameters; its background is in standard deviations of the noise here.
    channels, classes
        One channel, the contrast, and two classes, the second the spots.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    routine: LaplacianSpots = LaplacianSpots()
    channels: tuple[Channel, ...] = (Channel(mode=CHANNEL),)
    classes: Classes = Classes(names=("background", "spot"))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(self.channels) != 1 or len(self.classes) != 2:
            raise ValueError(f"{len(self.channels)} channels and {len(self.classes)} classes, expected 1 and 2")
        return self

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.routine.halo

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px: any side is valid."""
        return 1

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, 1, y, x) to log-probabilities (batch, 2, y, x); what is not finite is background."""
        if images.ndim != 4 or images.shape[1] != 1:
            raise InputError(f"images of shape {images.shape} were given, expected (batch, 1, y, x)")
        found = np.full((len(images), 2, *images.shape[2:]), _SURE, np.float32)
        for image, probabilities in zip(images, found, strict=True):
            finite = np.isfinite(image[0])
            spots = self.routine.mask(np.where(finite, image[0], np.float32(0.0))) & finite
            probabilities[0][~spots] = probabilities[1][spots] = np.float32(-math.exp(_SURE))
        return found
