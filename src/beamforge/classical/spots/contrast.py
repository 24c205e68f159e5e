"""The rule of `RobustSpots` on an image that is local contrast already, as simulated samples are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveFloat, model_validator

from beamforge.arrays import Float32, Integers
from beamforge.classical.spots.detectors import RobustSpots, grown
from beamforge.errors import InputError
from beamforge.stack import Channel, Classes
from beamforge.statistics.local_noise import compressed

_SURE = -20.0
"""Log-probability of the class that was not chosen: a threshold knows no doubt."""


class ContrastSpots(BaseModel):
    """Marks what stands out of its surroundings, and the skirt that hangs on it; a `beamforge.predictor.Predictor`.

    Attributes
    ----------
    high, low
        In standard deviations of the noise, as of `RobustSpots`.
    channels, classes
        One channel, the compressed local contrast, and two classes, the second the spots.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    high: PositiveFloat = 6.0
    low: PositiveFloat = 3.5
    channels: tuple[Channel, ...] = (Channel(mode="local contrast"),)
    classes: Classes = Classes(names=("clean", "spot"))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        RobustSpots(high=self.high, low=self.low)
        if len(self.channels) != 1 or len(self.classes) != 2:
            raise ValueError(f"{len(self.channels)} channels and {len(self.classes)} classes, expected 1 and 2")
        return self

    @property
    def halo(self) -> int:
        """Context in px."""
        return RobustSpots().reach

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px: any side is valid."""
        return 1

    def mask(self, contrast: Float32) -> NDArray[np.bool_]:
        """Mark the spots of a compressed contrast (y, x)."""
        high, low = compressed(np.array([self.high, self.low], np.float32))
        return grown(contrast > high, contrast > low, RobustSpots().reach)

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, 1, y, x) to log-probabilities (batch, 2, y, x)."""
        if images.ndim != 4 or images.shape[1] != 1:
            raise InputError(f"images of shape {images.shape} were given, expected (batch, 1, y, x)")
        found = np.full((len(images), 2, *images.shape[2:]), _SURE, np.float32)
        for image, probabilities in zip(images, found, strict=True):
            spots = self.mask(image[0])
            probabilities[0][~spots] = probabilities[1][spots] = np.float32(-math.exp(_SURE))
        return found


def tuned_contrast(
    samples: Sequence[tuple[Float32, Integers]],
    highs: Sequence[float] = (4.0, 5.0, 6.0, 8.0, 10.0),
    lows: Sequence[float] = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0),
) -> tuple[float, float]:
    """Choose both thresholds by the F1 over the pixels of all samples.

    Parameters
    ----------
    samples
        Compressed contrasts (y, x) and their labels (y, x), of which 1 is a spot.
    highs, lows
        What to choose from, in standard deviations.

    Raises
    ------
    InputError
        If no sample holds a spot.
    """
    if not any((labels == 1).any() for _, labels in samples):
        raise InputError(f"none of the {len(samples)} samples holds a spot; simulate more")
    best, chosen = -1.0, (highs[0], lows[0])
    for high in highs:
        for low in (value for value in lows if value <= high):
            rule = ContrastSpots(high=high, low=low)
            marks = [(rule.mask(image), labels == 1) for image, labels in samples]
            both = sum(int((found & true).sum()) for found, true in marks)
            f1 = 2.0 * both / max(sum(int(found.sum()) + int(true.sum()) for found, true in marks), 1)
            if f1 > best:
                best, chosen = f1, (high, low)
    return chosen
