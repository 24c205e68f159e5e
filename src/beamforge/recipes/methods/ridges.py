"""Ridge filters with a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import BaseModel, Field, PositiveFloat

from beamforge.classical.ridges import RidgeClassifier, RidgeFilter, tuned_ridges
from beamforge.errors import InputError
from beamforge.evaluation.connectivity import cl_dice
from beamforge.evaluation.tasks.base import class_number
from beamforge.recipes.methods.base import METHODS, Labelled, Method
from beamforge.stack import Channel, Classes


@METHODS.register("ridges")
class Ridges(Method):
    """Looks for dark lines; width, threshold and least size are those of the best clDice on simulated samples.

    Attributes
    ----------
    kind
        See `beamforge.classical.ridges.RidgeFilter`.
    sigmas
        Sets of widths in px to choose from.
    of
        Name of the class that is looked for; all else becomes the first class.
    """

    fitted: ClassVar[type[BaseModel]] = RidgeClassifier

    kind: Literal["sato", "frangi", "background"] = "sato"
    sigmas: tuple[tuple[PositiveFloat, ...], ...] = Field(
        default=((1.0,), (1.0, 2.0), (2.0, 3.0), (1.0, 2.0, 4.0)), min_length=1
    )
    of: str

    def fit(
        self, samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], rng: Generator
    ) -> BaseModel:
        """Choose on simulated samples."""
        if len(channels) != 1:
            raise InputError(f"ridge filters take one channel, the generator makes {len(channels)}")
        number = class_number(self.of, classes)
        filters = [RidgeFilter(kind=self.kind, sigmas=sigmas) for sigmas in self.sigmas]
        chosen = tuned_ridges(filters, samples, number, cl_dice)
        return chosen.model_copy(update={"channels": tuple(channels), "classes": classes, "wanted": number})
