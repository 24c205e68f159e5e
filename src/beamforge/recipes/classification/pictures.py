"""The annotated pictures of a recipe: which train, which judge."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
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
    opened = []
    if annotated:
        opened += open_annotated_pictures(annotated, classes, masks=settings.masks, inverted=settings.inverted)
    if settings.free:
        opened += open_annotated_pictures(found_files(settings.free, places), classes)
    if settings.whole:
        unmarked = open_annotated_pictures(found_files(settings.whole, places), classes)
        opened += [p._replace(labels=p.labels.copy(data=np.ones_like(p.labels.values))) for p in unmarked]
    return opened


def to_learn_from(pictures: Sequence[AnnotatedPicture]) -> list[AnnotatedPicture]:
    """Give those that a scenario learns from: none unless some have masks that mark a part of them."""
    partly = [picture for picture in pictures if not picture.labels.values.all()]
    return partly if any(picture.labels.values.any() for picture in partly) else []


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
    marked = sum(_is_marked(picture) for picture in pictures)
    for name, count, what in (
        (classes.names[1], marked, "marked pixels in its mask"),
        (classes.names[0], len(pictures) - marked, "nothing marked on it; name such pictures under `pictures.free`"),
    ):
        if count < 2:
            raise InputError(
                f"{count} of {len(pictures)} pictures show the class {name!r}; at least one to learn from and one to "
                f"judge on are needed, each with {what}"
            )


def even_shares(pictures: Sequence[AnnotatedPicture]) -> list[float]:
    """Say how often each picture gives a tile, so that about as many tiles show marks as do not.

    Half of the tiles of a picture that is marked in part are centred on a mark.
    """
    kinds = [(bool(p.labels.values.any()), bool(p.labels.values.all())) for p in pictures]
    partly, free, whole = (True, False), (False, False), (True, True)
    shares = {partly: 0.5, free: 0.25, whole: 0.25} if whole in kinds else {partly: 0.75, free: 0.25}
    return [shares[kind] / kinds.count(kind) for kind in kinds]


def divide(
    pictures: Sequence[AnnotatedPicture], share: float, rng: Generator, same: str | None = None
) -> dict[str, list[int]]:
    """Divide pictures at random by number, those with marks and those without apart, so that both parts have both.

    Parameters
    ----------
    pictures
        All of them.
    share
        Share that only judges.
    rng
        Random stream.
    same
        Regular expression; pictures in whose names it finds the same text stay together.

    Raises
    ------
    InputError
        If a name lacks that text, or all pictures that show a class belong together.
    """
    groups: dict[str, list[int]] = {}
    for number, picture in enumerate(pictures):
        groups.setdefault(_specimen(picture.path, same), []).append(number)
    marked = {name: any(_is_marked(pictures[n]) for n in members) for name, members in groups.items()}
    parts: Mapping[str, list[int]] = {TRAIN: [], TEST: []}
    for wanted in (True, False):
        kind = [members for name, members in groups.items() if marked[name] == wanted]
        if len(kind) == 1:
            raise InputError(
                f"`same` ({same!r}) leaves a single specimen {'with' if wanted else 'without'} marks among "
                f"{len(groups)}; one to learn from and one to judge on are needed"
            )
        cut = min(max(1, round(share * len(kind))), len(kind) - 1)
        for place, index in enumerate(rng.permutation(len(kind))):
            parts[TEST if place < cut else TRAIN].extend(kind[index])
    return {name: sorted(numbers) for name, numbers in parts.items()}


def _is_marked(picture: AnnotatedPicture) -> bool:
    return bool((picture.labels.values == 1).any())


def _specimen(file: Path, same: str | None) -> str:
    if same is None:
        return str(file)
    match = re.search(same, file.name)
    if match is None:
        raise InputError(f"pictures.same is {same!r}, which finds nothing in the name {file.name}")
    return match.group(1) if match.groups() else match.group()
