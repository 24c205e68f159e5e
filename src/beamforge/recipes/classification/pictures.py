"""The annotated pictures of a recipe: which train, which judge."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence

from numpy.random import Generator

from beamforge.errors import InputError
from beamforge.io import AnnotatedPicture, open_annotated_pictures, picture_files
from beamforge.recipes.kinds.classification import PictureSettings
from beamforge.recipes.places import Places
from beamforge.stack import Classes

TRAIN, TEST = "train", "test"


def found_files(patterns: Sequence[str], places: Places) -> list[str]:
    """Find the pictures that folders, patterns and files of a recipe name, each in the first place that has some.

    Raises
    ------
    InputError
        If nowhere is one.
    """
    found: list[str] = []
    for pattern in patterns:
        here = [folder / pattern for folder in places.candidates()]
        first = next((place for place in here if place.exists() or any(glob.iglob(str(place)))), here[0])
        found += [str(file) for file in picture_files(first)]
    return found


def open_all(settings: PictureSettings, places: Places, classes: Classes) -> list[AnnotatedPicture]:
    """Open the pictures with masks and those that need none.

    Raises
    ------
    InputError
        If some cannot be used; see `open_annotated_pictures`.
    """
    annotated = found_files(settings.annotated, places)
    opened = open_annotated_pictures(annotated, classes, masks=settings.masks, inverted=settings.inverted)
    if settings.free:
        opened += open_annotated_pictures(found_files(settings.free, places), classes)
    return opened


def check_pictures(pictures: Sequence[AnnotatedPicture], classes: Classes, tile: int) -> None:
    """Refuse pictures that no tile fits into, and a set that cannot be divided into two with both classes.

    Raises
    ------
    InputError
        Naming the pictures or the class.
    """
    small = [p for p in pictures if min(p.stack.sizes["y"], p.stack.sizes["x"]) < tile]
    if small:
        first = small[0]
        raise InputError(
            f"{len(small)} of {len(pictures)} pictures are smaller than a tile of {tile} px, such as {first.path} "
            f"({first.stack.sizes['y']}×{first.stack.sizes['x']}); set `tile` smaller or leave them out"
        )
    marked = sum(bool((picture.labels.values == 1).any()) for picture in pictures)
    for name, count, what in (
        (classes.names[1], marked, "marked pixels in its mask"),
        (classes.names[0], len(pictures) - marked, "nothing marked on it; name such pictures under `pictures.free`"),
    ):
        if count < 2:
            raise InputError(
                f"{count} of {len(pictures)} pictures show the class {name!r}; at least one to learn from and one to "
                f"judge on are needed, each with {what}"
            )


def divide(pictures: Sequence[AnnotatedPicture], share: float, rng: Generator) -> dict[str, list[int]]:
    """Divide pictures at random by number, those with marks and those without apart, so that both parts have both."""
    parts: Mapping[str, list[int]] = {TRAIN: [], TEST: []}
    for wanted in (True, False):
        kind = [n for n, picture in enumerate(pictures) if bool((picture.labels.values == 1).any()) == wanted]
        order = [kind[i] for i in rng.permutation(len(kind))]
        cut = min(max(1, round(share * len(kind))), len(kind) - 1)
        parts[TEST].extend(order[:cut])
        parts[TRAIN].extend(order[cut:])
    return {name: sorted(numbers) for name, numbers in parts.items()}
