"""Pictures that nobody annotated: a class for each of their tiles, kept as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from beamforge.errors import InputError
from beamforge.io import open_picture

if TYPE_CHECKING:
    import xarray as xr

    from beamforge.learning import Classifier

_PLACE = ("file", "y", "x", "class")


class ClassifiedTile(NamedTuple):
    """A tile and its class.

    Attributes
    ----------
    file
        The picture.
    corner
        First row and column of the tile in px.
    name
        Of its class, the most probable one.
    probabilities
        Of all classes.
    """

    file: str
    corner: tuple[int, int]
    name: str
    probabilities: tuple[float, ...]


def refuse_small(files: Sequence[str], tile: int) -> None:
    """Refuse pictures that no tile fits into; called before anything is trained.

    Raises
    ------
    InputError
        Naming the first such picture, or one that cannot be read.
    """
    for file in files:
        sizes = open_picture(file).sizes
        if min(sizes["y"], sizes["x"]) < tile:
            raise InputError(
                f"{file} is smaller than a tile of {tile} px ({sizes['y']}×{sizes['x']}); set `tile` smaller or leave "
                "it out of `images`"
            )


def write_tiles(table: Path, classifier: Classifier, files: Sequence[str], tile: int) -> None:
    """Write a line for each tile of the pictures: file, place, class and probabilities."""
    names = classifier.classes.names
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*_PLACE, *(f"p({name})" for name in names)])
        for file in files:
            found = classifier.tile_probabilities(open_picture(file), tile=tile)
            for (y, x), values in _by_place(found):
                name = names[max(range(len(values)), key=values.__getitem__)]
                writer.writerow([file, y, x, name, *(f"{value:.4f}" for value in values)])


def read_tiles(table: Path) -> dict[str, list[ClassifiedTile]]:
    """Read the tiles by picture."""
    found: dict[str, list[ClassifiedTile]] = {}
    with table.open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        for file, y, x, name, *values in lines:
            tile = ClassifiedTile(file, (int(y), int(x)), name, tuple(map(float, values)))
            found.setdefault(file, []).append(tile)
    return found


def _by_place(found: xr.DataArray) -> Iterator[tuple[tuple[int, int], list[float]]]:
    """Go through the tiles: first pixel, probability of each class."""
    for row, y in enumerate(found["y"].values):
        for column, x in enumerate(found["x"].values):
            yield (int(y), int(x)), [float(value) for value in found.values[:, row, column]]
