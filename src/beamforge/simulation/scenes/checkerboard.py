"""Squares of classes: every class meets every other, none is rare."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from pydantic import PositiveInt

from beamforge.arrays import Integers
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene


class Checkerboard(Scene, name="checkerboard"):
    """Squares of uniformly drawn classes, so that no class is rarer than another.

    Every class appears equally often on the board, up to one square, and in random order; the board is shifted by
    less than a square, so that no place in the tile prefers edges.

    Source: Sathe et al. 2024, Eqs. 3-4. A width of None takes the largest square that still lets every class appear
    in a tile on average.
    """

    classes: PositiveInt
    tile: PositiveInt = 192  # px
    width: PositiveInt | None = None  # px

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the offset of the board and the class of each square."""
        width = self.width or balanced_width(self.tile, self.classes)
        across = -(-self.tile // width) + 1
        return {
            "width": width,
            "offset": rng.integers(0, width, size=2).tolist(),
            "classes": balanced_draw(self.classes, (across, across), rng).tolist(),
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay the board and cut the tile out."""
        squares = np.asarray(parameters["classes"], dtype=np.uint8)
        board = squares.repeat(parameters["width"], 0).repeat(parameters["width"], 1)
        top, left = parameters["offset"]
        return sample.replace(labels=board[top : top + self.tile, left : left + self.tile].copy())


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
