"""Annotated slices: volumes or sets of images of which some or all have a mask, read one slice at a time.

Nothing but a few recently used slices is in memory, so that a volume may be far larger than it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.stack import IGNORE, Channel, Classes, channels_of

CACHE_BYTES = 1 << 30
"""Slices kept in memory, in bytes."""
_SHOWN = 8

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Slice:
    """Where a slice belongs.

    Attributes
    ----------
    name
        What to call it in errors and tables.
    volume
        The volume it was cut from; empty where there is only one.
    part
        Which part of the volume's slice it is, where slices were cut into several images.
    z
        Its number in the volume.
    """

    name: str
    volume: str
    part: str
    z: int


class AnnotatedSlices(ABC):
    """Slices with their places, classes and channels; pixels are read when they are asked for.

    Attributes
    ----------
    slices
        Of every image, in the order of volume and z.
    annotated
        Numbers of the slices that have labels.
    classes, channels
        What the labels and the channels are.
    ordered
        Whether slices of one volume are neighbours in space; false for separate images.
    """

    def __init__(
        self,
        slices: Sequence[Slice],
        annotated: Sequence[int],
        classes: Classes,
        channels: Sequence[Channel],
        *,
        ordered: bool,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.slices = tuple(slices)
        self.annotated = tuple(annotated)
        self.classes = classes
        self.channels = tuple(channels)
        self.ordered = ordered
        self._cache = _Cache(cache_bytes)
        if not self.annotated:
            raise InputError("no slice has labels; annotate some")

    def __len__(self) -> int:
        return len(self.slices)

    def image(self, number: int) -> Float32:
        """Read a slice, float32 (channel, y, x), in the units of the file."""
        found: Float32 = self._cache.get(("image", number), lambda: self._read_image(number))
        return found

    def labels(self, number: int) -> Labels:
        """Read the labels (y, x) of an annotated slice."""
        found: Labels = self._cache.get(("labels", number), lambda: self._checked_labels(number))
        return found

    def window(self, number: int, reach: int) -> Float32:
        """Read a slice between its neighbours: float32 (channel, y, x), from `reach` slices below it to as many above.

        At the ends of a volume, and where a slice is missing, the nearest one on the way to it is repeated.
        """
        if reach == 0:
            return self.image(number)
        return np.concatenate([self.image(self._neighbour(number, step)) for step in range(-reach, reach + 1)])

    def window_channels(self, reach: int) -> tuple[Channel, ...]:
        """Say what the channels of `window` are: ``slice`` counts from the slice in the middle."""
        if reach == 0:
            return self.channels
        steps = range(-reach, reach + 1)
        return tuple(
            Channel(mode=channel.mode, **(channel.numbers | {"slice": float(step)}))
            for step in steps
            for channel in self.channels
        )

    def class_counts(self) -> NDArray[np.int64]:
        """Count the pixels of every class in every annotated slice (slice, class)."""
        return np.stack([
            np.bincount(self.labels(number).ravel(), minlength=IGNORE + 1)[: len(self.classes)]
            for number in self.annotated
        ])  # fmt: skip

    def _neighbour(self, number: int, step: int) -> int:
        """Find the slice `step` further, or the furthest there is without a gap."""
        if not self.ordered:
            raise InputError("separate images have no neighbouring slices; set neighbours to 0 or ordered to true")
        here, toward = self.slices[number], 1 if step > 0 else -1
        found = number
        for distance in range(1, abs(step) + 1):
            there = number + toward * distance
            if not 0 <= there < len(self):
                break
            other = self.slices[there]
            if (other.volume, other.part, other.z) != (here.volume, here.part, here.z + toward * distance):
                break
            found = there
        return found

    def _checked_labels(self, number: int) -> Labels:
        labels = self._read_labels(number)
        size = self.image(number).shape[1:]
        if labels.shape != size:
            raise InputError(
                f"the labels of {self.slices[number].name} are {labels.shape[0]}×{labels.shape[1]} but the slice is "
                f"{size[0]}×{size[1]} (y, x); crop or pad one of them"
            )
        return labels

    @abstractmethod
    def _read_image(self, number: int) -> Float32:
        """Read (channel, y, x)."""

    @abstractmethod
    def _read_labels(self, number: int) -> Labels:
        """Read (y, x)."""


class _Cache:
    """Arrays by key, the longest unused ones forgotten beyond a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()

    def get(self, key: Hashable, read: Any) -> NDArray[Any]:
        """Give an array, read if it is not held."""
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        array: NDArray[Any] = read()
        self._arrays[key] = array
        self._held += array.nbytes
        while self._held > self._most and len(self._arrays) > 1:
            _, oldest = self._arrays.popitem(last=False)
            self._held -= oldest.nbytes
        return array


class VolumeSlices(AnnotatedSlices):
    """The slices of one volume (z, y, x) or (z, channel, y, x) with a label volume (z, y, x), both may be lazy.

    Parameters
    ----------
    volume
        Intensities; coordinates along channel say what the channels are.
    labels
        Class numbers; slices that hold nothing but 255 count as not annotated.
    classes
        Of the labels.
    name
        What to call the volume in errors.
    cache_bytes
        Slices kept in memory.

    Raises
    ------
    InputError
        If the sizes differ.
    """

    def __init__(
        self,
        volume: xr.DataArray,
        labels: xr.DataArray,
        classes: Classes,
        *,
        name: str = "volume",
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        whole, marked = (tuple(int(one.sizes[d]) for d in ("z", "y", "x")) for one in (volume, labels))
        if whole != marked:
            raise InputError(f"{name}: the volume is {whole} but its labels are {marked} (z, y, x); they must agree")
        self._volume = volume
        self._label_volume = labels
        self._name = name
        slices = [Slice(f"{name}, slice {z}", "", "", z) for z in range(whole[0])]
        annotated = [z for z in range(whole[0]) if (np.asarray(labels.data[z]) != IGNORE).any()]
        channels = channels_of(volume) if "channel" in volume.dims else (Channel(),)
        super().__init__(slices, annotated, classes, channels, ordered=True, cache_bytes=cache_bytes)

    def _read_image(self, number: int) -> Float32:
        values = np.asarray(self._volume.data[number], dtype=np.float32)
        return values if values.ndim == 3 else values[None]

    def _read_labels(self, number: int) -> Labels:
        values = np.asarray(self._label_volume.data[number])
        strange = np.unique(values[(values != IGNORE) & ((values < 0) | (values >= len(self.classes)))])
        if strange.size:
            raise InputError(
                f"{self._name}, slice {number} holds the class numbers {strange[:_SHOWN].tolist()}, but only "
                f"0..{len(self.classes) - 1} are declared ({', '.join(self.classes.names)}); declare them or set those "
                f"pixels to {IGNORE} (ignore)"
            )
        return values.astype(np.uint8)
