"""Which class a whole tile has, from its pixels or from what a scenario drew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt, model_validator

from beamforge.errors import InputError, one_of
from beamforge.simulation.sample import Sample
from beamforge.stack import IGNORE, Classes


class TileRule(Protocol):
    """Says which class a tile has."""

    def classes_of(self, pixels: Classes) -> Classes:
        """Give the classes of tiles, given those of the pixels."""
        ...

    def __call__(self, sample: Sample) -> int:
        """Give the number of the class of a tile, 255 for one that does not count."""
        ...


class AnyPixel(BaseModel):
    """A tile shows what its pixels show: the class other than the background with the most pixels.

    Pixels of a class that are fewer than `least` leave a tile in doubt; it counts nowhere (255). So does a tile
    without a labelled pixel whose intensity is finite.

    Attributes
    ----------
    background
        Number of the class of a tile in which no other is seen, such as ``"crack-free"``.
    least
        How many pixels of a class make it the tile's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: int = 0
    least: PositiveInt = 1

    def classes_of(self, pixels: Classes) -> Classes:
        """Give the classes of the pixels: tiles have the same.

        Raises
        ------
        InputError
            If the background is none of them.
        """
        if not 0 <= self.background < len(pixels):
            raise InputError(f"background is class {self.background}, the labels have 0..{len(pixels) - 1}")
        return pixels

    def __call__(self, sample: Sample) -> int:
        """Count the pixels."""
        valid = np.isfinite(sample.image).all(axis=0) & (sample.labels != IGNORE)
        counts = np.bincount(sample.labels[valid].ravel(), minlength=self.background + 1)
        if not counts.any():
            return IGNORE
        counts[self.background] = 0
        largest = int(counts.argmax())
        if counts[largest] == 0:
            return self.background
        return largest if counts[largest] >= self.least else IGNORE


class DrawnClass(BaseModel):
    """A tile has the class that a step of its scenario drew.

    Attributes
    ----------
    step
        Key of the step in the scenario, such as ``"cracks"``.
    parameter
        Name of the parameter it drew.
    values
        The parameter's value, a text, number or truth value, for each class by name, in the order of the classes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    parameter: str
    values: dict[str, str | bool | int | float]

    @model_validator(mode="after")
    def _distinct(self) -> DrawnClass:
        if len(set(self.values.values())) != len(self.values):
            raise ValueError(f"two classes share a value: {self.values}")
        return self

    def classes_of(self, pixels: Classes) -> Classes:
        """Give the classes that `values` names."""
        return Classes(names=tuple(self.values))

    def __call__(self, sample: Sample) -> int:
        """Look the value up.

        Raises
        ------
        InputError
            If the sample was not simulated by such a step, or the value belongs to no class.
        """
        draws: Mapping[str, Mapping[str, Any]] = sample.parameters.get("draws", {})
        if self.step not in draws:
            raise one_of("step that drew the class of a tile", self.step, draws)
        if self.parameter not in draws[self.step]:
            raise one_of(f"parameter of the step {self.step!r}", self.parameter, draws[self.step])
        value = draws[self.step][self.parameter]
        for number, wanted in enumerate(self.values.values()):
            if value == wanted:
                return number
        raise InputError(f"{self.step}.{self.parameter} is {value!r}, which is the value of no class in {self.values}")
