"""Windows of TIFF pages: only the strips or tiles that hold the asked rows are read and decoded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from xarray.backends import CachingFileManager

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_size, damage_named
from beamforge.io.lazy import WindowedArray

_JPEG = {6, 7, 34892, 33007}
"""Compressions whose segments share tables that stand elsewhere in the file."""


def _open(path: Path, mode: Literal["r"]) -> tifffile.TiffFile:
    """Open a TIFF for threads that share it: seeks are locked, and its pages are known before any of them reads."""
    file = tifffile.TiffFile(path, mode=mode)
    try:
        file.filehandle.set_lock(True)
        _ = file.series
    except BaseException:
        # Damaged bytes may only show here; nobody else would close the file then.
        file.close()
        raise
    return file


class TiffArray(WindowedArray):
    """The pages of one image of a TIFF, as an array of the image's shape."""

    def __init__(self, path: Path, number: int, series: tifffile.TiffPageSeries, byteorder: str) -> None:
        super().__init__(path, tuple(series.shape), series.dtype)
        self.number = number
        page = series.keyframe
        self._stored = np.dtype(byteorder + series.dtype.char)
        self._offset = series.dataoffset
        self._by_rows = page.shaped[0] == 1 and page.shaped[1] == 1 and not page.is_subsampled
        self.rows_at_once = self._rows_stored_together(page)
        self._manager = CachingFileManager(_open, path, mode="r")
        self._check_length(series)

    def _rows_stored_together(self, page: tifffile.TiffPage) -> int:
        if self._offset is not None or page.is_final:
            return 1
        rows = page.tilelength if page.is_tiled else page.rowsperstrip
        if not self._by_rows or not rows:
            rows = page.imagelength
        rows = min(rows, page.imagelength)
        check_size(f"{self.path}: one strip", (rows, page.imagewidth, page.samplesperpixel), self.dtype, EAGER_CAP)
        return int(rows)

    def _check_length(self, series: tifffile.TiffPageSeries) -> None:
        """Refuse a file that ends before its first or last page does."""
        length = self.path.stat().st_size
        if self._offset is not None:
            needed = self._offset + math.prod(self.shape) * self.dtype.itemsize
        else:
            ends = [0]
            for page in (series.pages[0], series.pages[-1]):
                if page is not None:
                    ends += [o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
            needed = max(ends)
            if needed == 0:
                raise InputError(f"{self.path} has no pixels behind its header; the copy or the acquisition failed")
        if needed > length:
            raise InputError(
                f"{self.path} is truncated: it declares pixels up to byte {needed} but has {length}; copy it again"
            )

    def window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read a window; pages are read one after another."""
        with damage_named(self.path, "TIFF"), self._manager.acquire_context() as file:
            if self._offset is not None:
                return self._plain_window(ranges)
            series = file.series[self.number]
            return self._page_windows(file, series, ranges)

    def _plain_window(self, ranges: tuple[tuple[int, int], ...]) -> NDArray[Any]:
        """Read from pixels that lie uncompressed in one piece."""
        whole = np.memmap(self.path, dtype=self._stored, mode="r", offset=self._offset or 0, shape=self.shape)
        return np.array(whole[tuple(slice(a, b) for a, b in ranges)])

    def _page_windows(
        self, file: tifffile.TiffFile, series: tifffile.TiffPageSeries, ranges: tuple[tuple[int, int], ...]
    ) -> NDArray[Any]:
        within = len(series.keyframe.shape)
        across = self.ndim - within
        lead, inner = ranges[:across], ranges[across:]
        result = np.empty([b - a for a, b in ranges], dtype=self.dtype)
        for place in np.ndindex(*[b - a for a, b in lead]):
            absolute = [p + a for p, (a, _) in zip(place, lead, strict=True)]
            index = int(np.ravel_multi_index(absolute, self.shape[:across])) if across else 0
            with file.filehandle.lock:
                page = series.pages[index]
            if page is None:
                raise InputError(f"{self.path}: page {index} is missing; the file is incomplete")
            result[place] = self._read_page(file, page, inner, index)
        return result

    def _read_page(self, file: tifffile.TiffFile, page: Any, inner: tuple[tuple[int, int], ...], index: int) -> Any:
        if not self._by_rows:
            whole = page.asarray(maxworkers=1)
            return whole[tuple(slice(a, b) for a, b in inner)]
        rows = _rows(file, page, *inner[0], f"{self.path}, page {index}")
        samples = rows[..., 0] if len(page.keyframe.shape) == 2 else rows
        return samples[(slice(None), *(slice(a, b) for a, b in inner[1:]))]


def _rows(file: tifffile.TiffFile, page: Any, first: int, last: int, source: str) -> NDArray[Any]:
    """Read rows first..last of a page as (row, x, sample)."""
    keyframe, lock = page.keyframe, file.filehandle.lock
    width, samples = keyframe.shaped[3], keyframe.shaped[4]
    if keyframe.is_final:
        stored = np.dtype(file.byteorder + keyframe.dtype.char)
        row_bytes = width * samples * stored.itemsize
        with lock:
            file.filehandle.seek(page.dataoffsets[0] + first * row_bytes)
            data = file.filehandle.read((last - first) * row_bytes)
        if len(data) < (last - first) * row_bytes:
            raise InputError(f"{source} is truncated; copy the file again")
        return np.frombuffer(data, stored).reshape(last - first, width, samples)
    return _decoded_rows(file, page, first, last, source)


def _decoded_rows(file: tifffile.TiffFile, page: Any, first: int, last: int, source: str) -> NDArray[Any]:
    keyframe, lock = page.keyframe, file.filehandle.lock
    width, samples = keyframe.shaped[3], keyframe.shaped[4]
    together = keyframe.tilelength if keyframe.is_tiled else keyframe.rowsperstrip
    together = min(together, keyframe.imagelength) or keyframe.imagelength
    across = -(-width // keyframe.tilewidth) if keyframe.is_tiled else 1
    segments = range(first // together * across, -(-last // together) * across)
    with lock:
        keyframe.init_decode()
    options: dict[str, Any] = {"_fullsize": False}
    if keyframe.compression in _JPEG:
        options |= {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader}
    result = np.full((last - first, width, samples), keyframe.nodata, dtype=keyframe.dtype)
    if segments.stop > len(page.dataoffsets):
        raise InputError(f"{source} lacks strips or tiles; the file is damaged, copy it again")
    offsets, counts = page.dataoffsets[segments.start : segments.stop], page.databytecounts
    counts = counts[segments.start : segments.stop]
    for data, index in file.filehandle.read_segments(offsets, counts, indices=list(segments), lock=lock):
        expected = page.databytecounts[index]
        if data is not None and len(data) < expected:
            raise InputError(f"{source} is truncated: {len(data)} of {expected} bytes of a strip; copy the file again")
        segment, (_, _, row, column, _), shape = keyframe.decode(data, index, **options)
        if segment is None:
            continue
        top, bottom = max(row, first), min(row + shape[1], last, keyframe.imagelength)
        right = min(column + shape[2], width)
        result[top - first : bottom - first, column:right] = segment[0, top - row : bottom - row, : right - column]
    return result
