"""A reader knows one file format; which one a file needs is decided by its first bytes.

A new format is one module in `beamforge.io.readers` with a subclass of `Reader`, or a package that announces one under
the entry point ``beamforge.readers``; nothing else has to be edited.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import ClassVar

from beamforge.errors import InputError
from beamforge.io.guard import LAZY_CAP, damage_named
from beamforge.io.image import Image

_REGISTRY: dict[str, Reader] = {}

_HEAD = 4096

_NOT_SUPPORTED = {
    b"MATLAB 5.0": "a MATLAB file of version 5-7; save it with -v7.3, which is HDF5, or as TIFF",
    b"PK\x03\x04": "a zip archive; unpack it, or if it holds ImageJ ROIs read it with open_labels",
    b"Iout": "an ImageJ ROI; read it with open_labels",
    b"\x1f\x8b": "gzip-compressed; unpack it first",
    b"%PDF": "a PDF document",
    b"BM": "a BMP picture; convert it to PNG",
    b"GIF8": "a GIF picture; convert it to PNG",
    b"version https://git-lfs": "only a pointer to a file in git LFS; fetch the file itself",
    b"<html": "a web page; the download failed",
    b"<!DOCTYPE": "a web page; the download failed",
}


class Reader(ABC):
    """Opens one format.

    A subclass gives its name in the class header, and says which files it takes and how they are opened::

        class FitsReader(Reader, name="FITS", suffixes=(".fits", ".fit")):
            def recognises(self, path, head):
                return head.startswith(b"SIMPLE  =")

            def read(self, path, dataset, max_bytes):
                ...
    """

    name: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = ()
    cap: ClassVar[int] = LAZY_CAP
    """Most bytes an array may declare where the caller does not say."""

    damage: ClassVar[tuple[type[Exception], ...]] = ()
    """What the format's library raises for damaged files beyond the usual; see `beamforge.io.guard.DAMAGE`."""

    def __init_subclass__(cls, *, name: str = "", suffixes: Sequence[str] = ()) -> None:
        super().__init_subclass__()
        if name:
            cls.name, cls.suffixes = name, tuple(suffixes)
            _REGISTRY[name] = cls()

    def list_contents(self, path: Path) -> tuple[str, ...]:
        """Give `contents`, or an `InputError` for a damaged file."""
        with damage_named(path, self.name, *self.damage):
            return self.contents(path)

    @abstractmethod
    def recognises(self, path: Path, head: bytes) -> bool:
        """Say by the first bytes (empty for a folder) whether this is the format."""

    @abstractmethod
    def read(self, path: Path, dataset: str | None, max_bytes: int) -> Image:
        """Open without reading pixels.

        Parameters
        ----------
        path
            File or folder.
        dataset
            Which image inside; None chooses where there is one choice, and names the candidates otherwise.
        max_bytes
            Most bytes the array may declare.
        """

    def contents(self, path: Path) -> tuple[str, ...]:
        """Describe the images inside, one line each, where a file may hold several."""
        return ()

    def open(self, path: Path, dataset: str | None = None, max_bytes: int | None = None) -> Image:
        """Open a file.

        Raises
        ------
        InputError
            If it is damaged, declares too much, or `dataset` is not in it.
        """
        with damage_named(path, self.name, *self.damage):
            return self.read(path, dataset, self.cap if max_bytes is None else max_bytes)


@cache
def _import_all_readers() -> None:
    import beamforge.io.readers as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    for entry in importlib.metadata.entry_points(group="beamforge.readers"):
        entry.load()


def readers() -> list[Reader]:
    """Give all readers, by name."""
    _import_all_readers()
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]


def head_of(path: Path) -> bytes:
    """Read a file's first bytes; a folder has none.

    Raises
    ------
    InputError
        If there is no such file or it may not be read.
    """
    if path.is_dir():
        return b""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a pipe or a device, from which reading may never end; give a file")
    with damage_named(path, "a file"), path.open("rb") as stream:
        return stream.read(_HEAD)


def recognise(path: Path) -> Reader | None:
    """Find the reader for a file or folder by its content."""
    head = head_of(path)
    return next((reader for reader in readers() if reader.recognises(path, head)), None)


def reader_for(path: Path) -> Reader:
    """Find the reader for a file or folder.

    Raises
    ------
    InputError
        If no reader takes it, saying what it looks like.
    """
    found = recognise(path)
    if found is not None:
        return found
    head = head_of(path)
    formats = ", ".join(reader.name for reader in readers())
    if path.is_dir():
        raise InputError(f"{path} is a folder without images that can be read; supported: {formats}")
    if not head:
        raise InputError(f"{path} is empty (0 bytes); the copy or the acquisition failed, get it again")
    for start, what in _NOT_SUPPORTED.items():
        if head.startswith(start):
            raise InputError(f"{path} is {what}")
    named = [reader.name for reader in readers() if path.suffix.lower() in reader.suffixes]
    if named:
        raise InputError(
            f"{path} is named like {named[0]} but does not begin like one ({head[:8]!r}); it is damaged or something "
            "else, get it again"
        )
    raise InputError(f"{path} is of no known kind (it begins with {head[:8]!r}); supported: {formats}")
