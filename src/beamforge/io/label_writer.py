"""Writing label images and volumes block by block, so that they may be far larger than memory.

The file appears under its name when the block of code ends well, and not before.
"""

from __future__ import annotations

import contextlib
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import tifffile
from numpy.typing import NDArray

from beamforge.errors import BeamforgeError, InputError
from beamforge.files import atomic_path
from beamforge.io.label_files import label_group_attributes, label_tiff_options, register_label
from beamforge.io.metadata import Metadata, as_classes
from beamforge.stack import IGNORE, Classes

_CHUNK = {2: (1024, 1024), 3: (1, 1024, 1024)}


class LabelWriter(ABC):
    """Takes blocks of class numbers in any order; made by `open_label_writer`.

    Blocks must not overlap and must cover the whole array. Threads may share a writer.
    """

    def __init__(self, shape: tuple[int, ...], classes: Classes) -> None:
        self.shape = shape
        self.classes = classes
        self._lock = threading.Lock()
        self._written = 0

    def write(self, block: NDArray[Any], origin: Sequence[int]) -> None:
        """Write a block of class numbers with its first corner at `origin`.

        Parameters
        ----------
        block
            Integers, as many dimensions as the array; 255 is ignore.
        origin
            Index of the block's first pixel, (y, x) or (z, y, x).

        Raises
        ------
        InputError
            If the block reaches outside, or holds a number that is no class.
        """
        labels = self._checked(np.asarray(block), tuple(int(o) for o in origin))
        if not labels.size:
            return
        with self._lock:
            self._store(labels, tuple(int(o) for o in origin))
            self._written += labels.size

    def _checked(self, block: NDArray[Any], origin: tuple[int, ...]) -> NDArray[np.uint8]:
        if block.ndim != len(self.shape) or len(origin) != len(self.shape):
            raise InputError(
                f"a block of shape {block.shape} at {origin} does not fit labels of shape {self.shape}; "
                "give as many dimensions"
            )
        if any(o < 0 or o + n > s for o, n, s in zip(origin, block.shape, self.shape, strict=True)):
            raise InputError(f"a block of shape {block.shape} at {origin} reaches outside labels of {self.shape}")
        if block.dtype.kind not in "uib":
            raise InputError(f"labels are written as whole class numbers, not as {block.dtype}")
        wrong = block[((block < 0) | (block >= len(self.classes))) & (block != IGNORE)]
        if wrong.size:
            raise InputError(
                f"class number {int(wrong.flat[0])} is not one of 0..{len(self.classes) - 1} or {IGNORE} (ignore)"
            )
        return block.astype(np.uint8, copy=False)

    def finish(self) -> None:
        """Check that every pixel was written once.

        Raises
        ------
        BeamforgeError
            If blocks are missing or overlap.
        """
        total = math.prod(self.shape)
        if self._written != total:
            reason = "blocks are missing" if self._written < total else "blocks overlap"
            raise BeamforgeError(f"{self._written} of {total} label pixels were written: {reason}")

    @abstractmethod
    def _store(self, labels: NDArray[np.uint8], origin: tuple[int, ...]) -> None:
        """Put the block on the disk."""

    def close(self) -> None:
        """Release the file, if one is held open."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


class _TiffWriter(LabelWriter):
    """An uncompressed TIFF whose rows are written in place.

    Plain file writes are used and not a memory map, whose dirty pages would count as the process' memory.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], classes: Classes, metadata: Metadata, name: str) -> None:
        super().__init__(shape, classes)
        place = tifffile.imwrite(
            path, shape=shape, dtype=np.uint8, returnoffset=True, contiguous=True, **label_tiff_options(shape, metadata)
        )
        if place is None:
            raise BeamforgeError(f"{name}: tifffile did not lay the labels out in one piece")
        self._start = place[0]
        self._file = path.open("r+b")

    def _store(self, labels: NDArray[np.uint8], origin: tuple[int, ...]) -> None:
        strides = [math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]
        rows = labels.reshape(-1, labels.shape[-1])
        for row, lead in zip(rows, np.ndindex(labels.shape[:-1]), strict=True):
            index = (*lead, 0)
            offset = sum((o + i) * s for o, i, s in zip(origin, index, strides, strict=True))
            self._file.seek(self._start + offset)
            self._file.write(row.tobytes())

    def close(self) -> None:
        self._file.close()


class _ZarrWriter(LabelWriter):
    """An OME-Zarr 0.5 label image; chunks hold one plane of 1024² pixels."""

    def __init__(self, path: Path, shape: tuple[int, ...], classes: Classes, metadata: Metadata, name: str) -> None:
        import zarr

        super().__init__(shape, classes)
        group = zarr.create_group(path, zarr_format=3, attributes=label_group_attributes(shape, metadata, name))
        self._array = group.create_array(
            "0",
            shape=shape,
            chunks=tuple(min(c, max(s, 1)) for c, s in zip(_CHUNK[len(shape)], shape, strict=True)),
            dtype="uint8",
            fill_value=IGNORE,
            dimension_names=("z", "y", "x")[-len(shape) :],
        )

    def _store(self, labels: NDArray[np.uint8], origin: tuple[int, ...]) -> None:
        self._array[tuple(slice(o, o + n) for o, n in zip(origin, labels.shape, strict=True))] = labels


def _kind(path: Path) -> type[_TiffWriter] | type[_ZarrWriter]:
    if path.suffix.lower() in (".tif", ".tiff"):
        return _TiffWriter
    if any(part.suffix.lower() == ".zarr" for part in (path, *path.parents)):
        return _ZarrWriter
    raise InputError(
        f"{path}: labels are written block by block to .tif or .zarr, not to {path.suffix or 'a folder'!r}"
    )


@contextlib.contextmanager
def open_label_writer(
    path: str | Path,
    shape: Sequence[int],
    classes: Classes | Sequence[str],
    *,
    pixel_size: float | None = None,
    pixel_size_unit: str = "µm",
    provenance: Mapping[str, Any] | None = None,
) -> Iterator[LabelWriter]:
    """Open a label image or volume to be written block by block.

    Parameters
    ----------
    path
        ``NAME.tif`` (uncompressed, with a colour table), ``NAME.zarr`` or ``IMAGE.zarr/labels/NAME`` (OME-Zarr 0.5).
    shape
        (y, x) or (z, y, x) in px.
    classes
        Names, or names and colours, of the classes.
    pixel_size, pixel_size_unit
        Side of a pixel or voxel.
    provenance
        Where the labels come from, JSON-able; see `beamforge.provenance`.

    Yields
    ------
    LabelWriter
        Its ``write(block, origin)`` takes the blocks, which must cover every pixel once.

    Raises
    ------
    InputError
        If the path's ending or the shape is not possible.
    BeamforgeError
        If blocks are missing or the disk is full; then nothing is left at `path`, or what was there before.
    """
    target = Path(path)
    size = tuple(int(side) for side in shape)
    if len(size) not in _CHUNK or min(size) < 1:
        raise InputError(f"{target}: labels have the shape (y, x) or (z, y, x) with sides of 1 px and more, not {size}")
    metadata = Metadata(
        classes=as_classes(classes),
        pixel_size=pixel_size,
        pixel_size_unit=pixel_size_unit,
        provenance=None if provenance is None else dict(provenance),
    )
    kind = _kind(target)
    with (
        atomic_path(target) as temporary,
        kind(temporary, size, as_classes(classes), metadata, target.stem) as writer,
    ):
        yield writer
        writer.finish()
    if kind is _ZarrWriter:
        register_label(target)
