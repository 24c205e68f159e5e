"""Walking a TIFF's chain of pages, to notice a file that ends too early.

tifffile goes on with the pages that are left when one cannot be reached, so that a truncated stack would come out
shorter without a word.
"""

from __future__ import annotations

import struct
from pathlib import Path

from beamforge.errors import InputError


def check_chain(path: Path) -> None:
    """Follow the offsets from page to page to the end.

    Source: TIFF 6.0, section 2; BigTIFF has 64-bit offsets and counts.

    Raises
    ------
    InputError
        If an offset leads past the end of the file or back to an earlier page.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        order, offset, big = _header(stream.read(16))
        count_format, offset_format, entry = ("Q", "Q", 20) if big else ("H", "I", 12)
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise InputError(f"{path}: its page {len(seen)} leads back to an earlier one; the file is damaged")
            seen.add(offset)
            stream.seek(offset)
            entries = _number(stream.read(struct.calcsize(count_format)), order + count_format)
            end = None if entries is None else offset + struct.calcsize(count_format) + entries * entry
            if end is None or end > size:
                raise _truncated(path, len(seen) - 1, offset, size)
            stream.seek(end)
            following = _number(stream.read(struct.calcsize(offset_format)), order + offset_format)
            if following is None:
                raise _truncated(path, len(seen), end, size)
            offset = following


def _header(data: bytes) -> tuple[str, int, bool]:
    """Read byte order, offset of the first page, and whether it is a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    offset = _number(data[8:16] if big else data[4:8], order + ("Q" if big else "I"))
    return order, offset or 0, big


def _number(data: bytes, kind: str) -> int | None:
    return int(struct.unpack(kind, data)[0]) if len(data) == struct.calcsize(kind) else None


def _truncated(path: Path, page: int, offset: int, size: int) -> InputError:
    return InputError(
        f"{path} is truncated or damaged: page {page} should be at byte {offset}, the file has {size}; copy it again"
    )
