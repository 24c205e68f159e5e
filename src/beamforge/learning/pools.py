"""Several data sets as one, such as the tiles of many micrographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.random import SeedSequence, default_rng

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.simulation.sample import Sample
from beamforge.stack import Classes, as_labels


class Pool(LabelledImages):
    """Endless data of several kinds, such as random tiles of many images, drawn by share.

    Parameters
    ----------
    parts
        Endless data of the same classes and channels.
    seed
        Item ``i`` draws its part from ``SeedSequence([seed, i])`` and takes the part's own item ``i``.
    length
        Items that make an epoch.
    shares
        How often each part is drawn, relative to the others; by default all equally often.

    Raises
    ------
    InputError
        If there is no part, one is finite, or they do not go together.
    """

    endless = True

    def __init__(
        self, parts: Sequence[LabelledImages], seed: int, length: int, *, shares: Sequence[float] | None = None
    ) -> None:
        _check_parts(parts)
        if not all(part.endless for part in parts):
            raise InputError("a pool draws from endless data; give finite data to Joined")
        weights = np.ones(len(parts)) if shares is None else np.asarray(shares, dtype=np.float64)
        if weights.shape != (len(parts),) or not (
            np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
        ):
            raise InputError(f"shares are {weights.tolist()}, expected {len(parts)} numbers from 0 on, not all 0")
        super().__init__(parts[0].classes, parts[0].channels, length)
        self.parts = tuple(parts)
        self.seed = seed
        self._up_to = np.cumsum(weights / weights.sum())

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw a part and take its item."""
        return self._drawn(index).arrays(index)

    def make_sample(self, index: int) -> Sample:
        """Draw a part and take its sample."""
        return self._drawn(index).make_sample(index)

    def _drawn(self, index: int) -> LabelledImages:
        drawn = default_rng(SeedSequence([self.seed, index])).random()
        return self.parts[min(int(np.searchsorted(self._up_to, drawn, side="right")), len(self.parts) - 1)]


class Joined(LabelledImages):
    """Data sets one after the other, each up to its length, such as the grid tiles of several images.

    Raises
    ------
    InputError
        If there is no part or they do not go together.
    """

    def __init__(self, parts: Sequence[LabelledImages]) -> None:
        _check_parts(parts)
        self.parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in parts])
        super().__init__(parts[0].classes, parts[0].channels, int(self._ends[-1]))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item of its part."""
        part, number = self.place(index)
        return self.parts[part].arrays(number)

    def make_sample(self, index: int) -> Sample:
        """Take the sample of its part."""
        part, number = self.place(index)
        return self.parts[part].make_sample(number)

    def place(self, index: int) -> tuple[int, int]:
        """Say in which part an item lies and which one it is there."""
        part = int(np.searchsorted(self._ends, index, side="right"))
        return part, index - int(self._ends[part - 1] if part else 0)


def labelled_by_class(images: Mapping[str, Sequence[xr.DataArray]]) -> list[tuple[xr.DataArray, xr.DataArray]]:
    """Label every pixel of measured images with the class of the image.

    Parameters
    ----------
    images
        Stacks (channel, y, x) of each class by name, in the order of the classes.

    Returns
    -------
    Pairs of a stack and its labels (y, x), for `MeasuredTiles` and `grid_tiles`; a tile then has the image's class.

    Raises
    ------
    InputError
        If a class has no image, or there is a single class.
    """
    classes = Classes(names=tuple(images))
    empty = [name for name, stacks in images.items() if not stacks]
    if empty or len(classes) < 2:
        raise InputError(
            f"images of {len(classes) - len(empty)} classes ({', '.join(images)}); "
            + (f"{' and '.join(empty)} has none" if empty else "at least two classes are needed")
        )
    return [
        (stack, as_labels(np.full(stack.shape[1:], number, np.uint8), classes))
        for number, stacks in enumerate(images.values())
        for stack in stacks
    ]


def _check_parts(parts: Sequence[LabelledImages]) -> None:
    if not parts:
        raise InputError("no data to put together")
    for number, part in enumerate(parts[1:], start=1):
        if part.classes.names != parts[0].classes.names or len(part.channels) != len(parts[0].channels):
            raise InputError(
                f"data {number} has {len(part.channels)} channels and the classes {list(part.classes.names)}, data 0 "
                f"{len(parts[0].channels)} and {list(parts[0].classes.names)}; they must be the same"
            )
