"""Whether input files are still the same, without reading them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from beamforge.recipes.places import fixed_part


def fingerprint(paths: Iterable[str]) -> list[list[str | int]]:
    """Give name, size and time of change of files; folders and patterns are given file by file.

    Parameters
    ----------
    paths
        Files, folders, patterns with ``{placeholders}``, or ``file.h5:/path``.
    """
    found: list[list[str | int]] = []
    for path in paths:
        for file in _files(path):
            status = file.stat()
            found.append([str(file), status.st_size, status.st_mtime_ns])
    return found


def _files(path: str) -> list[Path]:
    whole = fixed_part(Path(path))
    return sorted(file for file in whole.rglob("*") if file.is_file()) if whole.is_dir() else [whole]
