"""Folders of slices and folders of their masks."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.io.folder import image_files
from beamforge.io.labels import open_labels
from beamforge.io.slices import CACHE_BYTES, AnnotatedSlices, Labels, Slice
from beamforge.io.stacks import open_stack
from beamforge.stack import Channel, Classes, channels_of

_SHOWN = 8
_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")

Pairing = Literal["name", "order"]


class FileSlices(AnnotatedSlices):
    """Slices in files of their own; made by `open_slice_files`."""

    def __init__(
        self,
        images: Sequence[Path],
        masks: Mapping[int, Path],
        slices: Sequence[Slice],
        classes: Classes,
        channels: Sequence[Channel],
        kept: Sequence[int],
        mask_options: Mapping[str, Any],
        *,
        ordered: bool,
        cache_bytes: int,
    ) -> None:
        super().__init__(slices, sorted(masks), classes, channels, ordered=ordered, cache_bytes=cache_bytes)
        self._images = tuple(images)
        self._masks = dict(masks)
        self._kept = list(kept)
        self._mask_options = dict(mask_options)

    def _read_image(self, number: int) -> Float32:
        stack = open_stack(self._images[number])
        if stack.sizes["channel"] <= max(self._kept):
            raise InputError(
                f"{self._images[number]} has {stack.sizes['channel']} channels, the first slice has more than "
                f"{max(self._kept)}; all must have the same"
            )
        return np.asarray(stack.data[self._kept], dtype=np.float32)

    def _read_labels(self, number: int) -> Labels:
        labels = open_labels(self._masks[number], classes=self.classes, **self._mask_options)
        return np.asarray(labels.values, dtype=np.uint8)


def open_slice_files(
    images: str | Path,
    masks: str | Path,
    *,
    classes: Classes | Sequence[str] | None = None,
    legend: Mapping[Any, str] | None = None,
    unlabelled: str | None = None,
    pairing: Pairing = "name",
    pattern: str | None = None,
    ordered: bool = True,
    sparse: bool = False,
    allow_missing: bool = False,
    channels: Sequence[int] | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> FileSlices:
    """Open a folder of slices and a folder of their masks.

    Parameters
    ----------
    images, masks
        Folders; files are taken in natural order of their names.
    classes, legend, unlabelled
        As of `open_labels`; a legend maps the colours of RGB masks or grey levels to classes.
    pairing
        How images and masks belong together: ``"name"``: the mask is named like the image, with or without an ending
        such as ``_mask``; ``"order"``: the first with the first and so on.
    pattern
        Regular expression found in the images' names, with the groups ``z`` (whole number), ``volume`` (any text, for
        several volumes in one folder) and ``part`` (where slices were cut into several images) as far as the names say
        them. By default z is the last number in the name.
    ordered
        Whether the images are slices of volumes; false for separate images, whose numbers mean nothing.
    sparse
        Accept images without a mask.
    allow_missing
        Accept gaps in the numbers of the slices.
    channels
        Which channels of the images to keep, counted from 0; by default all. Grey images saved as RGB need only one.
    cache_bytes
        Slices kept in memory.

    Raises
    ------
    InputError
        If folders hold no images, masks cannot be paired, slices are missing, or classes are neither declared nor
        named by a legend.
    """
    pictures, marked = _files(images), _files(masks)
    places = [_place(path, number, pattern, ordered) for number, path in enumerate(pictures)]
    pairs = _paired(pictures, marked, pairing, sparse)
    order = sorted(range(len(pictures)), key=lambda number: (*_line(places[number]), places[number].z, number))
    slices = [places[number] for number in order]
    if ordered:
        _refuse_repeats(slices)
        if not allow_missing:
            _refuse_gaps(slices, str(images))
    if classes is None and legend is None:
        raise InputError(
            f"{masks}: the classes are not declared, and a mask may lack some; name them with classes=, or with "
            "legend= for masks of colours or grey levels"
        )
    options = {"legend": legend, "unlabelled": unlabelled}
    of_slice = {place: pairs[number] for place, number in enumerate(order) if number in pairs}
    first = open_labels(next(iter(of_slice.values())), classes=classes, **options)  # type: ignore[arg-type]
    known = Classes(names=tuple(first.attrs["class_names"]), colours=tuple(first.attrs["class_colours"]))
    stack = open_stack(pictures[order[0]])
    kept = list(range(stack.sizes["channel"])) if channels is None else list(channels)
    if not kept or not 0 <= min(kept) <= max(kept) < stack.sizes["channel"]:
        raise InputError(
            f"channels are {kept}, {pictures[order[0]]} has the channels 0..{stack.sizes['channel'] - 1}; name some"
        )
    return FileSlices(
        [pictures[number] for number in order],
        of_slice,
        slices,
        known,
        [channels_of(stack)[number] for number in kept],
        kept,
        options,
        ordered=ordered,
        cache_bytes=cache_bytes,
    )


def _files(folder: str | Path) -> list[Path]:
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"{place}: no such folder; slices and masks are each a folder of images")
    found = image_files(place)
    if not found:
        raise InputError(f"{place} is a folder without images that can be read")
    return found


def _place(path: Path, number: int, pattern: str | None, ordered: bool) -> Slice:
    """Read volume and z off a file's name."""
    found = re.search(pattern, path.name) if pattern else _LAST_NUMBER.search(path.stem)
    if pattern and not found:
        raise InputError(f"{path.name} does not hold the pattern {pattern!r}; it must be found in every image's name")
    groups = found.groupdict() if found and pattern else {}
    volume, part = (groups.get(name) or "" for name in ("volume", "part"))
    if not ordered:
        return Slice(path.name, volume, part, number)
    text = groups.get("z") if pattern else found and found.group(1)
    if text is None or not text.isdecimal():
        raise InputError(
            f"{path.name} does not say which slice it is; give pattern= with a group (?P<z>\\d+), or ordered=False for "
            "separate images"
        )
    return Slice(path.name, volume, part, int(text))


def _line(one: Slice) -> tuple[str, str]:
    """What slices share that lie on top of one another."""
    return one.volume, one.part


def _paired(images: Sequence[Path], masks: Sequence[Path], pairing: Pairing, sparse: bool) -> dict[int, Path]:
    if pairing == "order":
        if len(images) != len(masks):
            raise InputError(
                f"{len(images)} images in {images[0].parent} but {len(masks)} masks in {masks[0].parent}; pairing by "
                "order needs as many, pair them by name"
            )
        return dict(enumerate(masks))
    by_stem = {path.stem: number for number, path in enumerate(images)}
    found: dict[int, Path] = {}
    for mask in masks:
        # The longest name wins: slice_12_mask belongs to slice_12 and not to slice_1.
        stems = [mask.stem[:length] for length in range(len(mask.stem), 0, -1)]
        own = next((by_stem[stem] for stem in stems if stem in by_stem), None)
        if own is None:
            raise InputError(
                f"the mask {mask.name} is named like none of the {len(images)} images in {images[0].parent} (such as "
                f"{images[0].name}); rename it, or pair by order"
            )
        if own in found:
            raise InputError(f"{found[own].name} and {mask.name} are both masks of {images[own].name}; remove one")
        found[own] = mask
    without = [path.name for number, path in enumerate(images) if number not in found]
    if without and not sparse:
        raise InputError(
            f"{len(without)} of {len(images)} images have no mask: {_listing(without)}; add the masks, or set sparse "
            "to true if only some slices are annotated"
        )
    return found


def _refuse_repeats(slices: Sequence[Slice]) -> None:
    for one, other in itertools.pairwise(slices):
        if (_line(one), one.z) == (_line(other), other.z):
            raise InputError(
                f"{one.name} and {other.name} are both slice {one.z}; tell them apart with a pattern such as "
                "'(?P<volume>…)_(?P<z>\\d+)_(?P<part>…)', or set ordered to false for separate images"
            )


def _refuse_gaps(slices: Sequence[Slice], source: str) -> None:
    for (volume, part), group in itertools.groupby(slices, key=_line):
        numbers = [one.z for one in group]
        if len(numbers) < 3:
            continue
        step = Counter(b - a for a, b in itertools.pairwise(numbers)).most_common(1)[0][0]
        there = set(numbers)
        missing = [str(z) for z in range(numbers[0], numbers[-1], step) if z not in there]
        if missing:
            of_volume = f" of the volume {' '.join(filter(None, (volume, part)))}" if volume or part else ""
            raise InputError(
                f"{source}: {len(missing)} slices{of_volume} between {numbers[0]} and {numbers[-1]} are missing: "
                f"{_listing(missing)}; add them, or set allow_missing to true"
            )


def _listing(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
