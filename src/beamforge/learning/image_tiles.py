"""All tiles of measured images of any sizes, and draws of them that are even over the classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.random import SeedSequence, default_rng

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.learning.tile_rules import TileRule
from beamforge.simulation.sample import Sample
from beamforge.stack import IGNORE, Classes, channels_of, check_pair

_SHOWN = 5


class ImageTiles(LabelledImages):
    """Tiles of several labelled images, a stride apart; the last ones of a row or column are moved inside.

    Parameters
    ----------
    images
        Pairs of a stack (channel, y, x) and its labels (y, x), of any sizes; held in memory as they are.
    classes
        Of all labels.
    tile, stride
        Side of the tiles and distance between their corners in px; by default tiles lie side by side.

    Raises
    ------
    InputError
        If there is no image, or images are smaller than a tile or differ in their channels.
    """

    def __init__(
        self,
        images: Sequence[tuple[xr.DataArray, xr.DataArray]],
        classes: Classes,
        tile: int,
        stride: int | None = None,
    ) -> None:
        if not images:
            raise InputError("no image to cut tiles from")
        _check_sizes(images, tile)
        self.tile = tile
        self._images = [np.asarray(stack.data, dtype=np.float32) for stack, _ in images]
        self._labels = [np.asarray(labels.data, dtype=np.uint8) for _, labels in images]
        step = stride or tile
        self.places = tuple(
            (number, top, left)
            for number, labels in enumerate(self._labels)
            for top in _starts(labels.shape[0], tile, step)
            for left in _starts(labels.shape[1], tile, step)
        )
        super().__init__(classes, channels_of(images[0][0]), len(self.places))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile out."""
        number, top, left = self.places[index]
        here = (slice(top, top + self.tile), slice(left, left + self.tile))
        return self._images[number][:, *here], self._labels[number][here]


class Chosen(LabelledImages):
    """Some items of finite data, by number."""

    def __init__(self, whole: LabelledImages, numbers: Sequence[int]) -> None:
        super().__init__(whole.classes, whole.channels, len(numbers))
        self.whole = whole
        self.numbers = tuple(int(number) for number in numbers)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item."""
        return self.whole.arrays(self.numbers[index])

    def make_sample(self, index: int) -> Sample:
        """Take the sample."""
        return self.whole.make_sample(self.numbers[index])


def numbers_by_class(tiles: LabelledImages, rule: TileRule, what: str) -> list[np.ndarray]:
    """Number the tiles of each class.

    Parameters
    ----------
    tiles
        Finite data.
    rule
        What the class of a tile is; tiles in doubt are in no list.
    what
        The tiles' name in errors, such as ``"training part"``.

    Raises
    ------
    InputError
        If a class has no tile.
    """
    numbers = np.array([rule(tiles.make_sample(index)) for index in range(len(tiles))])
    names = rule.classes_of(tiles.classes).names
    found = [np.flatnonzero(numbers == number) for number in range(len(names))]
    missing = [name for name, places in zip(names, found, strict=True) if not len(places)]
    if missing:
        counts = ", ".join(f"{len(places)} {name}" for name, places in zip(names, found, strict=True))
        doubt = int((numbers == IGNORE).sum())
        raise InputError(
            f"the {what} has no tile of the class {' or '.join(missing)} (of {len(tiles)} tiles: {counts}, {doubt} in "
            "doubt); add images of it, or divide them otherwise"
        )
    return found


def even_choice(by_class: Sequence[np.ndarray], seed: int, total: int | None = None) -> list[int]:
    """Choose as many tiles of each class at random, in an order in which the classes alternate.

    Parameters
    ----------
    by_class
        Numbers of the tiles of each class.
    seed
        Of the draw; a larger `total` adds tiles to those that a smaller one gives.
    total
        How many in all, at most; by default as many as the rarest class allows.
    """
    rng = default_rng(SeedSequence([seed, 0x7E5]))
    orders = [rng.permutation(numbers) for numbers in by_class]
    each = min(len(order) for order in orders)
    # The rarer classes come first in each round: what is looked for must not be missing among few tiles.
    turns = sorted(range(len(orders)), key=lambda number: len(orders[number]))
    chosen = [int(orders[number][place]) for place in range(each) for number in turns]
    return chosen if total is None else chosen[:total]


def _starts(length: int, tile: int, stride: int) -> list[int]:
    starts = list(range(0, length - tile + 1, stride))
    return starts if starts[-1] == length - tile else [*starts, length - tile]


def _check_sizes(images: Sequence[tuple[xr.DataArray, xr.DataArray]], tile: int) -> None:
    small = []
    for stack, labels in images:
        check_pair(stack, labels)
        if len(stack) != len(images[0][0]):
            raise InputError(
                f"{stack.attrs.get('source', 'an image')} has {len(stack)} channels, "
                f"{images[0][0].attrs.get('source', 'the first')} {len(images[0][0])}; bring them to one kind"
            )
        if min(labels.shape) < tile:
            small.append(f"{stack.attrs.get('source', 'an image')} ({labels.shape[0]}×{labels.shape[1]} px)")
    if small:
        smallest = min(min(labels.shape) for _, labels in images)
        raise InputError(
            f"{len(small)} of {len(images)} images are smaller than a tile of {tile} px: {', '.join(small[:_SHOWN])}; "
            f"set tile to {smallest} px or less, or leave them out"
        )
