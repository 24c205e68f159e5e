"""Reading pictures and masks, and parting micrographs that are learnt from and judged on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.io.pattern import natural_key
from beamforge.io.pictures import open_picture, picture_files
from beamforge.recipes.kinds.micrographs import AnnotatedPictures, Sources
from beamforge.recipes.places import Places
from beamforge.stack import Channel, Classes

CLASSES = Classes(names=("grain", "boundary"), colours=("#9498a0", "#ff725c"))
_FULL_SCALE = 255.0
"""Networks see grey levels of 8 bits, whatever the files hold."""
_MOST_BOUNDARY = 0.5
"""A mask with more boundary than this has its polarity wrong: lines cannot fill half of a picture."""


@dataclass(frozen=True)
class Picture:
    """A micrograph, or a part of one.

    Attributes
    ----------
    name
        Of its file.
    image
        float32 (channel, y, x), grey levels from 0 to 255.
    labels
        uint8 (y, x), 0 grain, 1 boundary; None where nobody annotated it.
    group
        Which micrograph it is of.
    """

    name: str
    image: Float32
    labels: NDArray[np.uint8] | None = None
    group: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """What tells it from other pictures: a hash of its name, grey levels and labels."""
        digest = hashlib.sha256(self.name.encode() + b"\0" + np.ascontiguousarray(self.image).tobytes())
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()


def channels_for(colour: Literal["grey", "rgb"]) -> tuple[Channel, ...]:
    """Say what the channels of pictures are."""
    names = ("red", "green", "blue") if colour == "rgb" else ("grey level",)
    return tuple(Channel(mode=name) for name in names)


def found(sources: Sources, places: Places) -> list[Path]:
    """Find the files of pictures in the recipe's places."""
    listed = [sources] if isinstance(sources, str) else list(sources)
    return [file for source in listed for file in picture_files(_placed(source, places))]


def _placed(source: str, places: Places) -> str:
    """Complete a folder, file or pattern that is relative."""
    if not any(sign in source for sign in "*?["):
        return places.find(source)
    pattern = Path(source).expanduser()
    return str(Path(places.find(str(pattern.parent))) / pattern.name)


def read_image(file: Path, colour: Literal["grey", "rgb"]) -> Float32:
    """Read a picture of any mode as grey levels from 0 to 255 (channel, y, x)."""
    image = np.asarray(open_picture(file, colour).values, np.float32)
    # Pictures of floats stay as they are: they have no full scale.
    whole = float(np.nanmax(image)) <= 1.0
    return image * np.float32(_FULL_SCALE) if whole else image


def read_mask(file: Path, *, inverted: bool) -> NDArray[np.uint8]:
    """Read a mask of boundaries; what is brighter than half of its full range counts as boundary.

    Raises
    ------
    InputError
        If it holds one value only, or more boundary than grains, which shows that its polarity is wrong.
    """
    grey = np.asarray(open_picture(file, "grey").values[0], np.float32)
    low, high = float(grey.min()), float(grey.max())
    if low == high:
        raise InputError(f"{file} is {low:g} everywhere; a mask marks boundaries by another value than grains")
    bright = grey > (low + high) / 2.0
    mask = ~bright if inverted else bright
    share = float(mask.mean())
    if share > _MOST_BOUNDARY:
        fix = "leave annotated.inverted out" if inverted else "set annotated.inverted=true"
        raise InputError(
            f"{file}: boundaries would cover {100 * share:.0f} % of the picture, so the mask's polarity is inverted; "
            f"{fix}"
        )
    return mask.astype(np.uint8)


def read_pictures(sources: Sources, places: Places, colour: Literal["grey", "rgb"]) -> list[Picture]:
    """Read pictures that nobody annotated."""
    return [Picture(file.name, read_image(file, colour)) for file in found(sources, places)]


def read_annotated(settings: AnnotatedPictures, places: Places, colour: Literal["grey", "rgb"]) -> list[Picture]:
    """Read pictures with their masks.

    Raises
    ------
    InputError
        If a picture lacks its mask, sizes differ, a mask's polarity is wrong, or a name does not fit the group's
        expression.
    """
    masks = {file.stem: file for file in found(settings.masks, places)}
    pictures = []
    for file in found(settings.images, places):
        mask = masks.get(file.stem)
        if mask is None:
            raise InputError(f"{file} has no mask: none of {settings.masks} is named {file.stem}")
        image, labels = read_image(file, colour), read_mask(mask, inverted=settings.inverted)
        if image.shape[1:] != labels.shape:
            raise InputError(f"{file} is {image.shape[1:]} px (y, x) but its mask {mask} is {labels.shape}")
        pictures.append(Picture(file.name, image, labels, _group(file, settings.group)))
    return pictures


def _group(file: Path, expression: str | None) -> str:
    if expression is None:
        return file.stem
    match = re.match(expression, file.stem)
    if match is None:
        raise InputError(f"annotated.group: the name {file.stem!r} does not begin with a match of {expression!r}")
    return match.group()


def parted(pictures: Sequence[Picture], settings: AnnotatedPictures) -> tuple[list[Picture], list[Picture]]:
    """Choose the few pictures to learn from and those to judge on, never of the same micrograph.

    Pictures to learn from are taken from one micrograph after the other, so that they show as many as possible.

    Raises
    ------
    InputError
        If a micrograph is named that is not there, stands on both sides, or too few pictures are left.
    """
    groups = sorted({picture.group for picture in pictures}, key=natural_key)
    learn = list(settings.learn if settings.learn is not None else groups[::2]) if settings.few else []
    judge = list(settings.judge if settings.judge is not None else [g for g in groups if g not in learn])
    unknown = [group for group in (*learn, *judge) if group not in groups]
    if unknown:
        raise InputError(f"annotated: no picture is of the micrograph {unknown[0]!r}; there are {', '.join(groups)}")
    both = set(learn) & set(judge)
    if both:
        raise InputError(f"annotated: the micrograph {both.pop()!r} would be learnt from and judged on")
    by_group = [[picture for picture in pictures if picture.group == group] for group in learn]
    turns = [pair for turn in range(len(pictures)) for pair in (group[turn : turn + 1] for group in by_group) if pair]
    few = [pair[0] for pair in turns][: settings.few]
    if len(few) < settings.few:
        raise InputError(
            f"annotated.few asks for {settings.few} pictures to learn from, the micrographs {', '.join(learn)} have "
            f"{len(few)}; ask for fewer or name more in annotated.learn"
        )
    judged = [picture for picture in pictures if picture.group in judge]
    if not judged:
        raise InputError("annotated: no micrograph is left to judge on; set annotated.few=0 or annotate more")
    return few, judged
