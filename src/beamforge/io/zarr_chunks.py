"""Noticing chunks of a Zarr that are cut off."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

from beamforge.errors import InputError

_BLOSC_HEADER = 16


def check_blosc_chunks(root: Path, array: Any, ranges: tuple[tuple[int, int], ...]) -> None:
    """Compare the size of each chunk of a window with the size in its Blosc header.

    The decoder trusts that header and would give whatever stands in memory behind a chunk that is cut off.

    Raises
    ------
    InputError
        Naming the chunk.
    """
    compressors = getattr(array, "compressors", ())
    if not compressors or "blosc" not in type(compressors[-1]).__name__.lower() or getattr(array, "shards", None):
        return
    grid = [range(a // c, -(-b // c)) for (a, b), c in zip(ranges, array.chunks, strict=True)]
    for place in itertools.product(*grid):
        file = root / array.path / array.metadata.encode_chunk_key(place)
        if not file.is_file():
            continue
        with file.open("rb") as stream:
            header = stream.read(_BLOSC_HEADER)
        declared = struct.unpack("<I", header[12:16])[0] if len(header) == _BLOSC_HEADER else _BLOSC_HEADER
        if file.stat().st_size < declared:
            raise InputError(
                f"{root}: the chunk {file.relative_to(root)} is truncated ({file.stat().st_size} of {declared} bytes); "
                "copy it again"
            )
