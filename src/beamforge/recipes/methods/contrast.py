"""Thresholds on the local contrast of spots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from numpy.random import Generator
from pydantic import BaseModel, PositiveFloat

from beamforge.classical.spots.contrast import ContrastSpots, tuned_contrast
from beamforge.recipes.methods.base import METHODS, Labelled, Method, check_contrast
from beamforge.stack import Channel, Classes


@METHODS.register("contrast")
class Contrast(Method):
    """Marks spots by `beamforge.classical.spots.contrast.ContrastSpots`.

    Attributes
    ----------
    high, low
        Thresholds in standard deviations; chosen on simulated samples where left out.
    """

    fitted: ClassVar[type[BaseModel]] = ContrastSpots

    high: PositiveFloat | None = None
    low: PositiveFloat | None = None

    def fit(
        self, samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], rng: Generator
    ) -> BaseModel:
        """Choose what is not given."""
        check_contrast(channels, classes)
        pairs = [(image[0], labels) for image, labels in samples]
        fixed = {"highs": (self.high,)} if self.high is not None else {}
        fixed |= {"lows": (self.low,)} if self.low is not None else {}
        high, low = tuned_contrast(pairs, **fixed)
        return ContrastSpots(high=high, low=low, channels=tuple(channels), classes=classes)
