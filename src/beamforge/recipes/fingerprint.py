"""Whether input files are still the same, without reading them whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


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
    if "{" in path:
        fixed = Path(path.split("{")[0])
        return _files(str(fixed if path.split("{")[0].endswith("/") else fixed.parent))
    whole = Path(path)
    if not whole.exists():
        whole = Path(path.split(":/")[0])
    return sorted(file for file in whole.rglob("*") if file.is_file()) if whole.is_dir() else [whole]
