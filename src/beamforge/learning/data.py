"""Simulated and measured images as torch data sets.

Every item is a pair ``(image, labels)``: float32 (channel, y, x) in the stack's own units and int64 (y, x), in which
pixels that are invalid (not finite) in any channel are 255, ignore. An item depends on nothing but the data set's
settings and its index, so that any number of workers makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.random import SeedSequence, default_rng
from torch import Tensor
from torch.utils.data import Dataset

from beamforge.errors import InputError
from beamforge.learning.tiles import (
    BalancedPositions,
    Positions,
    TileGrid,
    balanced_positions,
    cut_padded,
    labelled_and_valid,
    positions_with_labels,
)
from beamforge.simulation.dataset import open_dataset
from beamforge.simulation.sample import Sample
from beamforge.simulation.scenario import Scenario
from beamforge.stack import IGNORE, Channel, Classes, channels_of, check_pair, classes_of

Item = tuple[Tensor, Tensor]


class LabelledImages(Dataset[Item]):
    """Images with labels, by index.

    Attributes
    ----------
    classes, channels
        What the labels and the channels are.
    endless
        Whether indices beyond the length are valid too and give ever new items.
    """

    classes: Classes
    channels: tuple[Channel, ...]
    endless: bool = False

    def __init__(self, classes: Classes, channels: Sequence[Channel], length: int) -> None:
        if length < 1:
            raise InputError(f"a data set of {length} items, expected at least 1")
        self.classes = classes
        self.channels = tuple(channels)
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Item:
        return as_item(*self.arrays(self._checked(index)))

    def sample(self, index: int) -> Sample:
        """Give an item as a sample, with what was drawn for it where it is simulated."""
        return self.make_sample(self._checked(index))

    def _checked(self, index: int) -> int:
        position = int(index)
        if position < 0:
            raise IndexError(f"item {position}: indices start at 0")
        if position >= self._length and not self.endless:
            raise IndexError(f"item {position} of {self._length}")
        return position

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(self._length))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make image (channel, y, x) and labels (y, x) as NumPy arrays."""
        raise NotImplementedError

    def make_sample(self, index: int) -> Sample:
        """Make an item as a sample."""
        image, labels = self.arrays(index)
        return Sample(np.asarray(image, dtype=np.float32), np.asarray(labels))


class SimulatedDataset(LabelledImages):
    """Samples simulated when they are asked for: item ``i`` is ``scenario(seed, i)``."""

    endless = True

    def __init__(self, scenario: Scenario, seed: int, length: int) -> None:
        super().__init__(scenario.classes, scenario.channels, length)
        self.scenario = scenario
        self.seed = seed

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate."""
        sample = self.make_sample(index)
        return sample.image, sample.labels

    def make_sample(self, index: int) -> Sample:
        """Simulate."""
        return self.scenario(self.seed, index)


class StoredDataset(LabelledImages):
    """Samples that `write_dataset` stored."""

    def __init__(self, path: str | Path) -> None:
        self.samples = open_dataset(path)
        super().__init__(self.samples.classes, self.samples.channels, len(self.samples))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read."""
        return self.samples.pixels(index)

    def make_sample(self, index: int) -> Sample:
        """Read, with what was drawn."""
        return self.samples[index]

    def split(self, share: float) -> tuple[Part, Part]:
        """Split off the last samples, at least one.

        Parameters
        ----------
        share
            Share of the samples in the second part.

        Raises
        ------
        InputError
            If there is a single sample.
        """
        second = max(1, round(share * len(self)))
        if second >= len(self):
            raise InputError(f"{self.samples.path} holds {len(self)} samples, too few to split; simulate more")
        first = len(self) - second
        return Part(self, 0, first), Part(self, first, second)


class Part(LabelledImages):
    """Consecutive items of finite data."""

    def __init__(self, whole: LabelledImages, start: int, length: int) -> None:
        super().__init__(whole.classes, whole.channels, length)
        self._whole = whole
        self._start = start

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item of the whole."""
        return self._whole.arrays(self._start + index)

    def make_sample(self, index: int) -> Sample:
        """Take the sample of the whole."""
        return self._whole.make_sample(self._start + index)


class Remembered(LabelledImages):
    """Finite data whose items stay in memory once they were made, for trainings that take them again and again.

    Parameters
    ----------
    whole
        The data.
    most_bytes
        Items beyond this are made anew each time. Every worker process has a memory of its own.
    """

    def __init__(self, whole: LabelledImages, most_bytes: int = 1 << 30) -> None:
        super().__init__(whole.classes, whole.channels, len(whole))
        self._whole = whole
        self._room = most_bytes
        self._items: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item from memory, or make it."""
        known = self._items.get(index)
        if known is not None:
            return known
        image, labels = self._whole.arrays(index)
        if image.nbytes + labels.nbytes <= self._room:
            self._room -= image.nbytes + labels.nbytes
            self._items[index] = image, labels
        return image, labels

    def make_sample(self, index: int) -> Sample:
        """Take the sample of the data, with what was drawn."""
        return self._whole.make_sample(index)


class Selection(LabelledImages):
    """Chosen items of one or several data sets of the same classes and channels, in a given order.

    Raises
    ------
    InputError
        If the data sets differ in their classes or their number of channels.
    """

    def __init__(self, items: Sequence[tuple[LabelledImages, int]]) -> None:
        if not items:
            raise InputError("no item of any data set is selected")
        first = items[0][0]
        for other in {id(data): data for data, _ in items}.values():
            if other.classes.names != first.classes.names or len(other.channels) != len(first.channels):
                raise InputError(
                    f"data of the classes {list(first.classes.names)} in {len(first.channels)} channels cannot be "
                    f"joined with those of {list(other.classes.names)} in {len(other.channels)}"
                )
        super().__init__(first.classes, first.channels, len(items))
        self._items = list(items)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item of its data set."""
        data, number = self._items[index]
        return data.arrays(number)

    def make_sample(self, index: int) -> Sample:
        """Take the sample of its data set."""
        data, number = self._items[index]
        return data.make_sample(number)


class MeasuredTiles(LabelledImages):
    """Random tiles of a measurement.

    Every position at which the tile holds at least one labelled and valid pixel is equally likely. Balanced tiles are
    centred on pixels of each class equally often instead, however few a class has; near the border of the image the
    tile is moved inside.

    Parameters
    ----------
    stack
        (channel, y, x); it is held in memory as float32, once in every worker process.
    labels
        (y, x) of the same size.
    tile
        Side of the tiles in px.
    seed
        Item ``i`` draws from ``SeedSequence([seed, i])``.
    length
        Items that make an epoch; further indices give further tiles.
    augment
        Whether to turn and mirror each tile into one of its eight orientations at random. Leave it off where the
        instrument prefers a direction.
    balanced
        Whether to draw the class first and then one of its pixels.

    Raises
    ------
    InputError
        If the labels have another size, no pixel is both labelled and valid, or the tile is larger than the image.
    """

    endless = True

    def __init__(
        self,
        stack: xr.DataArray,
        labels: xr.DataArray,
        tile: int,
        seed: int,
        length: int,
        *,
        augment: bool = False,
        balanced: bool = False,
    ) -> None:
        super().__init__(classes_of(labels), channels_of(stack), length)
        check_pair(stack, labels)
        self.tile = tile
        self.seed = seed
        self.augment = augment
        self._image = np.asarray(stack.data, dtype=np.float32)
        self._labels = np.asarray(labels.data, dtype=np.uint8)
        usable = labelled_and_valid(self._image, self._labels)
        self._positions: Positions | BalancedPositions = positions_with_labels(usable, tile)
        if balanced:
            self._positions = balanced_positions(self._labels, usable, tile)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile out."""
        rng = default_rng(SeedSequence([self.seed, index]))
        top, left = self._positions.draw(rng)
        here = (slice(top, top + self.tile), slice(left, left + self.tile))
        image, labels = self._image[:, *here], self._labels[here]
        if self.augment:
            turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
            image, labels = np.rot90(image, turns, axes=(-2, -1)), np.rot90(labels, turns, axes=(-2, -1))
            if mirrored:
                image, labels = image[..., ::-1], labels[..., ::-1]
        return image, labels


class GridTiles(LabelledImages):
    """The tiles of a measurement that `grid_tiles` makes."""

    def __init__(self, stack: xr.DataArray, labels: xr.DataArray, tile: int) -> None:
        check_pair(stack, labels)
        self.tile = tile
        self._image = np.asarray(stack.data, dtype=np.float32)
        self._labels = np.asarray(labels.data, dtype=np.uint8)
        grid = TileGrid(self._labels.shape, tile)
        usable = labelled_and_valid(self._image, self._labels)
        self.origins = tuple(origin for origin in grid.origins() if usable[grid.window(origin)].any())
        if not self.origins:
            raise InputError("no pixel is both labelled and finite in every channel; nothing can be evaluated on it")
        super().__init__(classes_of(labels), channels_of(stack), len(self.origins))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile out."""
        return cut_padded(self._image, self._labels, self.origins[index], self.tile)


def grid_tiles(stack: xr.DataArray, labels: xr.DataArray, tile: int) -> GridTiles:
    """Cut a measurement into tiles that do not overlap, for evaluation.

    Tiles at the right and lower edge reach beyond the image: there the image goes on by reflection, so that a network
    meets no artificial edge, and the labels are ignore. Tiles without a labelled and valid pixel are left out.

    Parameters
    ----------
    stack
        (channel, y, x).
    labels
        (y, x) of the same size.
    tile
        Side of the tiles in px.

    Raises
    ------
    InputError
        If the labels have another size or no pixel is both labelled and valid.
    """
    return GridTiles(stack, labels, tile)


def as_item(image: np.ndarray, labels: np.ndarray) -> Item:
    """Make the tensors of an item; pixels that are not finite in every channel become ignore."""
    valid = np.isfinite(image).all(axis=0)
    numbers = np.where(valid, labels, IGNORE).astype(np.int64)
    return torch.from_numpy(np.array(image, dtype=np.float32, order="C")), torch.from_numpy(numbers)
