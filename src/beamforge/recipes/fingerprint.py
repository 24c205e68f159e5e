"""Which files an input consists of, and whether they are still the same, without reading them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from beamforge.io.folder import image_files
from beamforge.io.pattern import find_files, is_pattern
from beamforge.io.reader import recognise
from beamforge.io.stacks import split_inner


def parts_of(path: str) -> list[Path]:
    """List what is read for an input: files, and stores that are a folder as a whole.

    Parameters
    ----------
    path
        A file, a folder of images, a store that is a folder, a pattern, or ``file.h5:/path``.

    Raises
    ------
    InputError
        If no file matches a pattern.
    """
    if is_pattern(path):
        return [match.path for match in find_files(path, allow_missing=True).matches]
    place = split_inner(path)[0]
    # A folder of images may hold anything else besides, such as the run itself.
    of_images = place.is_dir() and recognise(place) is None
    return [*image_files(place), *sorted(place.glob("*.roi"))] if of_images else [place]


def files_of(path: str) -> list[Path]:
    """List the files that are read for an input, those inside stores one by one; see `parts_of`."""
    return [file for part in parts_of(path) for file in (_inside(part) if part.is_dir() else [part])]


def _inside(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def fingerprint(paths: Iterable[str]) -> list[list[str | int]]:
    """Give name, size and time of change of the files that inputs consist of; see `files_of`."""
    found: list[list[str | int]] = []
    for path in paths:
        for file in files_of(path):
            status = file.stat()
            found.append([str(file), status.st_size, status.st_mtime_ns])
    return found
