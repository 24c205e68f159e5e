"""Predictions averaged over the eight orientations of an image that has no preferred direction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from beamforge.arrays import Float32
from beamforge.predictor import Predictor
from beamforge.stack import Channel, Classes


@dataclass(frozen=True)
class OrientationAverage:
    """A predictor that turns and mirrors each image and averages what another one says of all eight.

    Where an image looks as likely turned or mirrored, as sections through polycrystals do, the errors of the eight
    differ and some cancel; it takes eight times as long.

    Attributes
    ----------
    predictor
        What predicts.
    """

    predictor: Predictor

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the input channels are."""
        return self.predictor.channels

    @property
    def classes(self) -> Classes:
        """What the output classes are."""
        return self.predictor.classes

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.predictor.halo

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px."""
        return self.predictor.multiple

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) to logarithms of the mean probabilities (batch, class, y, x)."""
        total = np.zeros((len(images), len(self.classes), *images.shape[2:]), np.float64)
        for turns, mirrored in product(range(4), (False, True)):
            seen = np.rot90(images, turns, axes=(2, 3))
            seen = seen[..., ::-1] if mirrored else seen
            said = np.exp(self.predictor.log_probabilities(np.ascontiguousarray(seen)))
            said = said[..., ::-1] if mirrored else said
            total += np.rot90(said, -turns, axes=(2, 3))
        least = np.finfo(np.float32).tiny
        averaged: Float32 = np.log(np.maximum(total / 8.0, least)).astype(np.float32)
        return averaged
