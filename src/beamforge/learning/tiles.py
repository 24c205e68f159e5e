"""Where tiles lie in a measurement, and how the annotated part of one measurement is split in two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from beamforge.errors import InputError
from beamforge.stack import IGNORE, classes_of

Mask = NDArray[np.bool_]


def labelled_and_valid(image: np.ndarray, labels: np.ndarray) -> Mask:
    """Mark the pixels (y, x) that carry a class and are finite in every channel of the image (channel, y, x)."""
    usable: Mask = labels != IGNORE
    for channel in image:
        usable &= np.isfinite(channel)
    return usable


@dataclass(frozen=True)
class Positions:
    """Upper left corners of tiles: a map of the allowed ones and how many there are up to each row."""

    allowed: Mask
    up_to_row: NDArray[np.int64]

    def draw(self, rng: Generator) -> tuple[int, int]:
        """Draw one, all equally likely."""
        number = int(rng.integers(self.up_to_row[-1]))
        row = int(np.searchsorted(self.up_to_row, number, side="right"))
        before = int(self.up_to_row[row - 1]) if row else 0
        return row, int(np.flatnonzero(self.allowed[row])[number - before])


def positions_with_labels(usable: Mask, tile: int) -> Positions:
    """Find every position at which a tile holds at least one usable pixel.

    Raises
    ------
    InputError
        If the tile is larger than the image or no pixel is usable.
    """
    rows, columns = usable.shape
    if not 1 <= tile <= min(rows, columns):
        raise InputError(
            f"a tile of {tile}×{tile} px does not fit into the image of {rows}×{columns} px (y, x); "
            f"choose at most {min(rows, columns)}"
        )
    if not usable.any():
        raise InputError("no pixel is both labelled and finite in every channel; annotate some or mask fewer")
    # The window of the filter starts at the position itself, as the tile does.
    allowed = ndimage.maximum_filter(usable, size=tile, origin=-(tile // 2), mode="constant", cval=0)
    allowed = allowed[: rows - tile + 1, : columns - tile + 1]
    return Positions(allowed, np.cumsum(np.count_nonzero(allowed, axis=1), dtype=np.int64))


@dataclass(frozen=True)
class BalancedPositions:
    """Upper left corners of tiles around the pixels of each class."""

    pixels: tuple[Positions, ...]
    tile: int

    def draw(self, rng: Generator) -> tuple[int, int]:
        """Draw a class, then one of its pixels; the tile is centred on it as far as the image allows."""
        pixels = self.pixels[int(rng.integers(len(self.pixels)))]
        rows, columns = pixels.allowed.shape
        row, column = pixels.draw(rng)
        half = self.tile // 2
        return min(max(row - half, 0), rows - self.tile), min(max(column - half, 0), columns - self.tile)


def balanced_positions(labels: np.ndarray, usable: Mask, tile: int) -> BalancedPositions:
    """Find the usable pixels (y, x) of each class that has any; the tile is known to fit into the image."""
    masks = [usable & (labels == number) for number in np.unique(labels[usable])]
    return BalancedPositions(
        tuple(Positions(mask, np.cumsum(np.count_nonzero(mask, axis=1), dtype=np.int64)) for mask in masks), tile
    )


@dataclass(frozen=True)
class TileGrid:
    """Tiles side by side that cover an image of a shape (y, x); the last ones reach beyond it."""

    shape: tuple[int, ...]
    tile: int

    def origins(self) -> Iterator[tuple[int, int]]:
        """Upper left corners, row by row."""
        rows, columns = self.shape
        for top in range(0, rows, self.tile):
            for left in range(0, columns, self.tile):
                yield top, left

    def window(self, origin: tuple[int, int]) -> tuple[slice, slice]:
        """The part of the image a tile covers."""
        top, left = origin
        return slice(top, top + self.tile), slice(left, left + self.tile)


def cut_padded(
    image: np.ndarray, labels: np.ndarray, origin: tuple[int, int], tile: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a tile that may reach beyond the image: reflect the image there, and ignore the labels."""
    rows, columns = (slice(start, start + tile) for start in origin)
    cut = labels[rows, columns]
    beyond = [(0, tile - side) for side in cut.shape]
    return (
        np.pad(image[:, rows, columns], [(0, 0), *beyond], mode="reflect"),
        np.pad(cut, beyond, constant_values=IGNORE),
    )


def spatial_split(
    labels: xr.DataArray, fraction: float, block: int, rng: Generator, *, guard: int = 0
) -> tuple[xr.DataArray, xr.DataArray]:
    """Split the annotated pixels of one measurement into blocks to train on and blocks to test on.

    For those who have one measurement and no unseen one. Whole blocks go to one part, so that neighbouring pixels,
    which resemble each other, seldom stand in both; `guard` widens the distance. Several random divisions are tried
    and the one is taken in which the most classes stand in both parts, and then the one nearest to `fraction` in
    every class. A class that lies in a single block cannot be divided and stands in one part only.

    Parameters
    ----------
    labels
        (y, x), 255 = ignore.
    fraction
        Share of the annotated pixels of every class to test on, between 0 and 1.
    block
        Side of the blocks in px; the grid they lie in is shifted at random.
    rng
        Random stream.
    guard
        Training pixels at most this far from a test pixel, in px along either axis, are ignored.

    Returns
    -------
    train, test
        Labels of the same size, with the pixels of the other part set to ignore.

    Raises
    ------
    InputError
        If `fraction` is not between 0 and 1, or the annotated pixels lie in fewer than two blocks.
    """
    if not 0 < fraction < 1:
        raise InputError(f"fraction is {fraction}, expected a share between 0 and 1")
    if block < 1 or guard < 0:
        raise InputError(f"block is {block} px and guard {guard} px, expected at least 1 and 0")
    values = np.asarray(labels.data, dtype=np.uint8)
    classes = len(classes_of(labels))
    candidates = (_divide(values, classes, fraction, block, guard, rng) for _ in range(_TRIALS))
    train, test = max(candidates, key=lambda parts: _quality(parts[0], parts[1], classes, fraction))
    for part, name in ((train, "train"), (test, "test")):
        if not (part != IGNORE).any():
            raise InputError(
                f"the annotated pixels leave nothing to {name} on in blocks of {block} px with a guard of {guard} px; "
                "choose smaller ones or annotate more places"
            )
    return labels.copy(data=train), labels.copy(data=test)


_TRIALS = 24


def _divide(
    values: np.ndarray, classes: int, fraction: float, block: int, guard: int, rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Give blocks in random order to the test part, each that brings the classes' shares nearer to the fraction."""
    shift = rng.integers(0, block, size=2)
    row, column = ((np.arange(side) + s) // block for side, s in zip(values.shape, shift, strict=True))
    number = row[:, None] * (column[-1] + 1) + column[None, :]
    annotated = values != IGNORE
    blocks, position = np.unique(number[annotated], return_inverse=True)
    counts = np.zeros((len(blocks), classes), dtype=np.int64)
    np.add.at(counts, (position, values[annotated]), 1)
    total = np.maximum(counts.sum(axis=0), 1)
    testing, in_test_part = np.zeros(len(blocks), dtype=bool), np.zeros(classes, dtype=np.int64)
    for candidate in rng.permutation(len(blocks)):
        more, here = in_test_part + counts[candidate], counts[candidate] > 0
        nearer = ((more / total - fraction) ** 2).sum() < ((in_test_part / total - fraction) ** 2).sum()
        # The last block of a class stays to train on.
        if nearer and (more < total)[here].all():
            testing[candidate], in_test_part = True, more
    in_test = np.isin(number, blocks[testing]) & annotated
    near_test = ndimage.maximum_filter(in_test, size=2 * guard + 1, mode="constant", cval=0) if guard else in_test
    return np.where(near_test, IGNORE, values).astype(np.uint8), np.where(in_test, values, IGNORE).astype(np.uint8)


def _quality(train: np.ndarray, test: np.ndarray, classes: int, fraction: float) -> tuple[int, float]:
    in_train, in_test = (np.bincount(p.ravel(), minlength=256)[:classes].astype(float) for p in (train, test))
    in_both = int(((in_train > 0) & (in_test > 0)).sum())
    total = in_train + in_test
    share = in_test[total > 0] / total[total > 0]
    return in_both, -float(np.abs(share - fraction).sum())
