"""Squares of classes: every class meets every other, none is rare."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, PositiveInt, model_validator

from beamforge.arrays import Integers
from beamforge.simulation.interval import IntegerInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene
from beamforge.stack import IGNORE


class Checkerboard(Scene, name="checkerboard"):
    """Squares of uniformly drawn classes, so that no class is rarer than another.

    Every class appears equally often on the board, up to one square, and in random order; the board is shifted by
    less than a square, so that no place in the tile prefers edges.

    Source: Sathe et al. 2024, Eqs. 3-4. A width of None takes the largest square that still lets every class appear
    in a tile on average; an interval draws another width for each tile, so that no size of region is special.
    """

    classes: int = Field(ge=1, le=IGNORE)
    tile: PositiveInt = 192  # px
    width: PositiveInt | IntegerInterval | None = None  # px

    @model_validator(mode="after")
    def _widths_above_zero(self) -> Self:
        if isinstance(self.width, IntegerInterval) and self.width.low < 1:
            raise ValueError(f"squares are at least 1 px wide, got {self.width.low}")
        return self

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the offset of the board and the class of each square."""
        width = self._draw_width(rng)
        across = -(-self.tile // width) + 1
        return {
            "width": width,
            "offset": rng.integers(0, width, size=2).tolist(),
            "classes": balanced_draw(self.classes, (across, across), rng).tolist(),
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay the board and cut the tile out."""
        squares = np.asarray(parameters["classes"], dtype=np.uint8)
        places = [(start + np.arange(self.tile)) // parameters["width"] for start in parameters["offset"]]
        # A width that was varied may ask for more squares than were drawn: the board then repeats.
        rows, columns = (place % count for place, count in zip(places, squares.shape, strict=True))
        return sample.replace(labels=squares[np.ix_(rows, columns)])

    def _draw_width(self, rng: Generator) -> int:
        if isinstance(self.width, IntegerInterval):
            return self.width.draw(rng)
        return self.width or balanced_width(self.tile, self.classes)


def balanced_width(tile: int, classes: int) -> int:
    """Give the largest width in px of a square for which a tile still has room for every class.

    Source: Sathe et al. 2024, Eq. 4: D <= ceil(sqrt(S^2 / C)) for a tile of side S and C classes.
    """
    return max(1, math.ceil(math.sqrt(tile**2 / classes)))


def balanced_draw(classes: int, shape: tuple[int, int], rng: Generator) -> Integers:
    """Fill an array with class numbers, each equally often up to one, in random order."""
    count = math.prod(shape)
    # Whole rounds over the classes in random order: which classes get the one extra square is random too.
    rounds = [rng.permutation(classes) for _ in range(-(-count // classes))]
    numbers = np.concatenate(rounds)[:count]
    return rng.permutation(numbers).reshape(shape)
