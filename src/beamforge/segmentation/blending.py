"""From tiles to final pixels: predict, fade neighbours into each other, give each pixel out once.

Log-probabilities are blended, not probabilities: the weighted sums of logits and of log-probabilities differ by the
same number for every class of a pixel, so the arg-max is that of blended logits, and an improbable class is not lost
to rounding. Only the strips that neighbours share are kept, so that memory does not grow with the image but for one
strip of its width.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import BeamforgeError
from beamforge.predictor import Predictor
from beamforge.segmentation.source import Source
from beamforge.segmentation.tiling import Span, Tiling

_BATCH_BYTES = 64 << 20
_BATCH_PIXELS = 1 << 20


@dataclass(frozen=True)
class Block:
    """Pixels whose prediction is final.

    Attributes
    ----------
    plane
        Number of the image.
    rows, columns
        Where in the image.
    log_probabilities
        float32 (class, y, x), blended.
    image
        The predictor's input there, float32 (channel, y, x).
    """

    plane: int
    rows: slice
    columns: slice
    log_probabilities: Float32
    image: Float32

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels (y, x) that are finite in every channel."""
        return np.asarray(np.isfinite(self.image).all(axis=0))


@dataclass
class _Blender:
    """Adds up tiles that arrive row by row, from left to right; holds only what waits for a neighbour."""

    below: Float32  # (class, fade, width): what the row above adds to this one
    right: Float32 = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))

    def add(self, row: Span, column: Span, scores: Float32) -> Float32:
        """Add the counting pixels (class, y, x) of a tile and give those that became final."""
        scores = scores * (row.weights[:, None] * column.weights)
        if column.fade_in:
            scores[:, :, : column.fade_in] += self.right
        width, height = scores.shape[2] - column.fade_out, scores.shape[1] - row.fade_out
        self.right = scores[:, :, width:].copy()
        done = scores[:, :, :width]
        if row.fade_in:
            done[:, : row.fade_in] += self.below[:, :, column.final]
        if row.fade_out:
            self.below[:, :, column.final] = done[:, height:]
        return done[:, :height]


def blended_blocks(predictor: Predictor, source: Source, tiling: Tiling, batch: int | None = None) -> Generator[Block]:
    """Predict a source tile by tile, reading the next tiles while the present ones are computed.

    Parameters
    ----------
    predictor
        What predicts.
    source
        What is read.
    tiling
        How the tiles lie.
    batch
        Tiles predicted at once; by default as many as make 1 Mpx and 64 MiB of input.

    Yields
    ------
    Block
        The image in pieces that do not overlap, row by row.
    """
    rows, columns = tiling.spans(source.height), tiling.spans(source.width)
    size = batch or _batch_size(predictor, rows[0], columns[0])
    groups = [columns[first : first + size] for first in range(0, len(columns), size)]
    jobs = ((plane, row, group) for plane in range(source.planes) for row in rows for group in groups)
    blender = _Blender(np.zeros((len(predictor.classes), tiling.blend, source.width), np.float32))
    for (plane, row, group), images in _read_ahead(source, jobs):
        scores = _predict(predictor, images)
        for column, image, score in zip(group, images, scores, strict=True):
            here = (slice(None), row.counting, column.counting)
            final = blender.add(row, column, score[here])
            seen = image[here][:, : final.shape[1], : final.shape[2]]
            yield Block(plane, row.final, column.final, final, seen)


Job = tuple[int, Span, Sequence[Span]]


def _read_ahead(source: Source, jobs: Iterator[Job]) -> Iterator[tuple[Job, Float32]]:
    """Read the tiles of each job, one job ahead."""

    def read(job: Job) -> tuple[Job, Float32]:
        plane, row, columns = job
        return job, np.stack([source.window(plane, row, column) for column in columns])

    with ThreadPoolExecutor(1, thread_name_prefix="beamforge-read") as reader:
        waiting = None
        for job in jobs:
            following = reader.submit(read, job)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _predict(predictor: Predictor, images: Float32) -> Float32:
    scores = predictor.log_probabilities(images)
    expected = (len(images), len(predictor.classes), *images.shape[2:])
    if scores.shape != expected:
        raise BeamforgeError(
            f"{type(predictor).__name__} gave log-probabilities of shape {scores.shape} for images of {images.shape}, "
            f"expected {expected}"
        )
    return scores


def _batch_size(predictor: Predictor, row: Span, column: Span) -> int:
    pixels = (row.stop - row.start) * (column.stop - column.start)
    return max(1, min(_BATCH_PIXELS // pixels, _BATCH_BYTES // (4 * len(predictor.channels) * pixels)))
