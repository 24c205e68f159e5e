"""Annotated slices as data to train on, and how they are split without a leak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.slices import AnnotatedSlices
from beamforge.learning.data import LabelledImages
from beamforge.learning.tiles import TileGrid, cut_padded, labelled_and_valid
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from beamforge.arrays import Float32

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Numbers of annotated slices to train on, to choose the best epoch by, and to judge on."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def parts(self) -> dict[str, tuple[int, ...]]:
        """Give the parts by name."""
        return {name: getattr(self, name) for name in PARTS}


def block_split(slices: AnnotatedSlices, test: float, validation: float, gap: int, blocks: int = 1) -> Split:
    """Split volumes into contiguous blocks of slices, so that neighbours, which are almost copies, do not leak.

    Every volume is cut along z into `blocks` sections; of each, the first slices are trained on, those behind validate
    and the last ones judge. Slices with the same z in one volume stay together. Separate images are one section in
    the order of their names.

    Parameters
    ----------
    slices
        What is split.
    test, validation
        Shares of the slices of every section.
    gap
        Slices that are left out between parts. Of separate images none is.
    blocks
        Sections of every volume.

    Raises
    ------
    InputError
        If the shares are impossible or a part stays empty.
    """
    if not (test >= 0 and validation >= 0 and test + validation < 1 and gap >= 0 and blocks >= 1):
        raise InputError(
            f"a split into {test:g} to test and {validation:g} to validate with a gap of {gap} in {blocks} blocks; "
            "expected shares that add up to less than 1, a gap of 0 or more and at least one block"
        )
    chosen: dict[str, list[int]] = {name: [] for name in PARTS}
    for volume in dict.fromkeys(slices.slices[number].volume for number in slices.annotated):
        members = [number for number in slices.annotated if slices.slices[number].volume == volume]
        heights = np.unique([slices.slices[number].z for number in members])
        part_at = _parts_of(heights, test, validation, gap if slices.ordered else 0, blocks)
        for number in members:
            part = part_at[slices.slices[number].z]
            if part:
                chosen[part].append(number)
    wanted = [name for name, share in zip(PARTS, (1.0, validation, test), strict=True) if share > 0]
    empty = [name for name in wanted if not chosen[name]]
    if empty:
        raise InputError(
            f"{len(slices.annotated)} annotated slices leave nothing to {empty[0]} on with a gap of {gap} in {blocks} "
            "blocks; annotate more, or take fewer blocks, a smaller gap or other shares"
        )
    return Split(**{name: tuple(numbers) for name, numbers in chosen.items()})


def _parts_of(heights: NDArray[np.int64], test: float, validation: float, gap: int, blocks: int) -> dict[int, str]:
    """Name the part of each z; slices of a gap have none."""
    parts: dict[int, str] = {}
    for section in np.array_split(heights, blocks):
        last = math.ceil(test * len(section))
        before = math.ceil(validation * len(section))
        first = max(len(section) - last - before - gap, 0)
        names = ["train"] * first + ["validation"] * before + [""] * gap + ["test"] * last
        parts |= dict(zip((int(z) for z in section), names, strict=False))
    for name, others in (("validation", {"test"}), ("train", {"test", "validation"})):
        # What judges keeps its slices; what learns makes room.
        near = np.array([z for z, part in parts.items() if part in others], dtype=np.int64)
        for z in [z for z, part in parts.items() if part == name]:
            if near.size and np.abs(near - z).min() <= gap:
                parts[z] = ""
    return parts


def random_split(like: Split, rng: Generator) -> Split:
    """Deal the slices of a split anew at random, part by part as many: how neighbouring slices leak, as a number."""
    numbers = rng.permutation([number for part in like.parts().values() for number in part])
    ends = np.cumsum([len(part) for part in like.parts().values()])[:-1]
    dealt = (tuple(sorted(int(n) for n in part)) for part in np.split(numbers, ends))
    return Split(*dealt)


def check_classes_present(slices: AnnotatedSlices, split: Split, allow_absent: Sequence[str] = ()) -> None:
    """Refuse a split of which a part lacks a class: nothing could be learnt, or judged, about it.

    Raises
    ------
    InputError
        Naming the class, the part, and where the class is.
    """
    counts = dict(zip(slices.annotated, slices.class_counts(), strict=True))
    for part, numbers in split.parts().items():
        for number, name in enumerate(slices.classes.names):
            if not numbers or name in allow_absent or any(counts[one][number] for one in numbers):
                continue
            where = [slices.slices[one].name for one in slices.annotated if counts[one][number]]
            found = f"it is in {len(where)} others, such as {where[0]}" if where else "it is in no slice at all"
            raise InputError(
                f"the class {name!r} is in none of the {len(numbers)} slices of the part {part!r}; {found}: choose "
                "other shares or more blocks, annotate it, or list it under allow_absent"
            )


class SliceTiles(LabelledImages):
    """Random tiles of annotated slices, which are read as they are needed.

    Parameters
    ----------
    slices, numbers
        The slices, and which of them to take.
    tile
        Side of the tiles in px; smaller slices are continued by reflection and ignored there.
    seed
        Item ``i`` draws from ``SeedSequence([seed, i])``.
    length
        Items that make an epoch; further indices give further tiles.
    reach
        Neighbouring slices on either side that become channels.
    augment
        Whether to turn and mirror each tile into one of its eight orientations at random.
    balanced
        Share of the tiles for which first a class is drawn, then a slice and one of its pixels in it; the other
        tiles lie anywhere.

    Raises
    ------
    InputError
        If no pixel of the slices is labelled, or a setting is impossible.
    """

    endless = True

    def __init__(
        self,
        slices: AnnotatedSlices,
        numbers: Sequence[int],
        tile: int,
        seed: int,
        length: int,
        *,
        reach: int = 0,
        augment: bool = False,
        balanced: float = 0.0,
    ) -> None:
        super().__init__(slices.classes, slices.window_channels(reach), length)
        if tile < 1 or not 0 <= balanced <= 1:
            raise InputError(
                f"a tile of {tile} px with a balanced share of {balanced:g}; expected 1 or more, and 0 to 1"
            )
        counts = dict(zip(slices.annotated, slices.class_counts(), strict=True))
        self._counts = np.stack([counts[number] for number in numbers])
        self._present = np.flatnonzero(self._counts.sum(axis=0))
        if not self._present.size:
            raise InputError(f"the {len(numbers)} slices to train on hold no labelled pixel; annotate some")
        self._slices = slices
        self._numbers = tuple(numbers)
        self.tile = tile
        self.seed = seed
        self.reach = reach
        self.augment = augment
        self.balanced = balanced

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile out."""
        rng = default_rng(SeedSequence([self.seed, index]))
        number, centre = self._draw(rng)
        image, labels = self._slices.window(number, self.reach), self._slices.labels(number)
        half = self.tile // 2
        origin = tuple(
            min(max(c - half, 0), max(side - self.tile, 0)) for c, side in zip(centre, labels.shape, strict=True)
        )
        cut, marked = cut_padded(image, labels, origin, self.tile)
        if self.augment:
            turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
            cut, marked = np.rot90(cut, turns, axes=(-2, -1)), np.rot90(marked, turns, axes=(-2, -1))
            if mirrored:
                cut, marked = cut[..., ::-1], marked[..., ::-1]
        return cut, marked

    def _draw(self, rng: Generator) -> tuple[int, tuple[int, int]]:
        """Draw a slice and the labelled pixel (y, x) that the tile is centred on as far as the slice allows."""
        if rng.random() < self.balanced:
            label = int(self._present[rng.integers(self._present.size)])
            pixels = self._counts[:, label]
            number = self._numbers[int(rng.choice(len(pixels), p=pixels / pixels.sum()))]
            wanted = self._slices.labels(number) == label
        else:
            pixels = self._counts.sum(axis=1)
            number = self._numbers[int(rng.choice(len(pixels), p=pixels / pixels.sum()))]
            wanted = self._slices.labels(number) != IGNORE
        places = np.flatnonzero(wanted)
        row, column = divmod(int(places[rng.integers(places.size)]), wanted.shape[1])
        return number, (row, column)


class SliceGrid(LabelledImages):
    """Tiles side by side that cover annotated slices, for validation; beyond a slice it goes on by reflection.

    Parameters
    ----------
    slices, numbers
        The slices, and which of them to take.
    tile
        Side of the tiles in px.
    reach
        Neighbouring slices on either side that become channels.

    Raises
    ------
    InputError
        If no pixel is both labelled and valid.
    """

    def __init__(self, slices: AnnotatedSlices, numbers: Sequence[int], tile: int, *, reach: int = 0) -> None:
        self._slices = slices
        self.tile = tile
        self.reach = reach
        places = []
        for number in numbers:
            labels = slices.labels(number)
            usable = labelled_and_valid(slices.image(number), labels)
            grid = TileGrid(labels.shape, tile)
            places += [(number, origin) for origin in grid.origins() if usable[grid.window(origin)].any()]
        if not places:
            raise InputError(f"the {len(numbers)} slices to validate on hold no labelled pixel; annotate some")
        self._places = tuple(places)
        super().__init__(slices.classes, slices.window_channels(reach), len(places))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile out."""
        number, origin = self._places[index]
        image: Float32 = self._slices.window(number, self.reach)
        return cut_padded(image, self._slices.labels(number), origin, self.tile)
