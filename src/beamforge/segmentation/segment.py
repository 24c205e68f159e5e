"""Applying a predictor to stacks and volumes of any size."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io import LabelWriter, open_label_writer
from beamforge.predictor import Predictor
from beamforge.progress import tracked
from beamforge.provenance import provenance as describe_origin
from beamforge.segmentation.blending import Block, blended_blocks
from beamforge.segmentation.neighbours import with_neighbours
from beamforge.segmentation.probabilities import open_probability_writer
from beamforge.segmentation.quicklook import QuickLook
from beamforge.segmentation.source import Source, as_source
from beamforge.segmentation.tiling import Tiling
from beamforge.stack import IGNORE, is_simulated

Invalid = Literal["predict", "ignore"]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Segmentation:
    """What a segmentation gave.

    Attributes
    ----------
    path
        The label file.
    quicklook, probabilities
        The picture and the probabilities, where they were asked for.
    counts
        Pixels by class name.
    ignored
        Pixels written as 255.
    invalid
        Pixels with a channel that is not finite.
    seconds
        How long it took.
    """

    path: Path
    quicklook: Path | None
    probabilities: Path | None
    counts: dict[str, int]
    ignored: int
    invalid: int
    seconds: float

    @property
    def pixels(self) -> int:
        """All pixels."""
        return sum(self.counts.values()) + self.ignored

    @property
    def pixels_per_second(self) -> float:
        """Pixels labelled per second."""
        return self.pixels / self.seconds


def segment(
    predictor: Predictor,
    stack: xr.DataArray,
    out: str | Path,
    *,
    tile: int | None = None,
    halo: int | None = None,
    batch: int | None = None,
    invalid: Invalid = "predict",
    probabilities: bool = False,
    quicklook: bool = True,
    progress: bool = True,
    provenance: Mapping[str, Any] | None = None,
) -> Segmentation:
    """Label every pixel of a stack or volume and write the labels tile by tile.

    Memory does not grow with the size of the input, except for one strip as wide as it. The files appear when all is
    done; an interrupted call leaves what was there before.

    Parameters
    ----------
    predictor
        What predicts.
    stack
        (channel, y, x) or (z, channel, y, x), or (z, y, x) for a predictor of one channel or of one with its
        neighbouring slices; it may be lazy.
    out
        ``NAME.tif`` or ``NAME.zarr`` (OME-Zarr); see `beamforge.io.open_label_writer`.
    tile
        Largest side of a tile in px; by default 768, or four overlaps if that is more.
    halo
        Context in px; by default the predictor's.
    batch
        Tiles predicted at once; by default as many as make 1 Mpx and 64 MiB of input.
    invalid
        What becomes of pixels with a channel that is not finite: ``"predict"`` leaves them to the predictor,
        ``"ignore"`` writes 255. They are counted either way.
    probabilities
        Whether to write the class probabilities too, as Zarr beside the labels (``NAME.probabilities.zarr``).
    quicklook
        Whether to draw image and labels beside the labels (``NAME.png``).
    progress
        Whether to show how far the work is.
    provenance
        What is known about the origin of predictor and stack; kept with the version and the settings of this call.

    Returns
    -------
    Paths, counts and speed.

    Raises
    ------
    InputError
        If the stack does not fit the predictor, or a setting is impossible.
    BeamforgeError
        If the disk is full.
    """
    if batch is not None and batch < 1:
        raise InputError(f"batch is {batch}, expected at least 1")
    started = time.perf_counter()
    source = as_source(with_neighbours(stack, predictor.channels), predictor.channels)
    tiling = Tiling.choose(tile, predictor.halo if halo is None else halo, predictor.multiple)
    target = Path(out)
    picture = _beside(target, ".png") if quicklook else None
    likelihoods = _beside(target, ".probabilities.zarr") if probabilities else None
    scale = {key: stack.attrs[key] for key in ("pixel_size", "pixel_size_unit") if key in stack.attrs}
    origin = _origin(predictor, stack, tiling) | dict(provenance or {})
    look = QuickLook(source.height, source.width, source.planes // 2)
    tally = _Tally()
    with contextlib.ExitStack() as opened:
        sinks: list[Callable[[Block, Labels], None]] = [tally.see, look.see]
        writer = opened.enter_context(
            open_label_writer(target, source.shape, predictor.classes, provenance=origin, **scale)
        )
        sinks.append(_Strip(writer, source).see)
        if likelihoods is not None:
            attributes = {**scale, "provenance": origin}
            context = open_probability_writer(likelihoods, source.shape, predictor.classes, attributes)
            sinks.append(opened.enter_context(context).see)
        blocks = opened.enter_context(contextlib.closing(blended_blocks(predictor, source, tiling, batch)))
        total = tiling.count(source.height, source.width) * source.planes
        for block in tracked(blocks, "segmenting", total) if progress else blocks:
            labels = labels_of(block, invalid)
            for sink in sinks:
                sink(block, labels)
    counts = dict(zip(predictor.classes.names, tally.counts.tolist(), strict=False))
    if picture is not None:
        shares = {name: count / tally.counts.sum() for name, count in counts.items()}
        look.save(picture, predictor.classes, predictor.channels[0].label, shares)
    seconds = time.perf_counter() - started
    return Segmentation(target, picture, likelihoods, counts, int(tally.counts[IGNORE]), tally.invalid, seconds)


def _beside(target: Path, ending: str) -> Path:
    """Name a file after the labels; for labels inside a Zarr group, beside the group and not in it."""
    name = target.stem.removesuffix(".ome")
    for group in target.parents:
        if group.suffix == ".zarr":
            return group.with_name(f"{group.stem.removesuffix('.ome')}.{name}{ending}")
    return target.with_name(name + ending)


def _origin(predictor: Predictor, stack: xr.DataArray, tiling: Tiling) -> dict[str, Any]:
    return describe_origin(
        simulated=is_simulated(stack),
        predictor=type(predictor).__name__,
        channels=[channel.label for channel in predictor.channels],
        tiling=dataclasses.asdict(tiling),
    )


class _Tally:
    """Counts classes and invalid pixels while blocks pass by."""

    def __init__(self) -> None:
        self.counts = np.zeros(IGNORE + 1, dtype=np.int64)
        self.invalid = 0

    def see(self, block: Block, labels: Labels) -> None:
        self.counts += np.bincount(labels.ravel(), minlength=IGNORE + 1)
        self.invalid += int(np.count_nonzero(~block.valid))


class _Strip:
    """Gathers a row of blocks, so that labels are written in strips as wide as the image and in the file's order."""

    def __init__(self, writer: LabelWriter, source: Source) -> None:
        self._writer = writer
        self._source = source
        self._parts: list[Labels] = []

    def see(self, block: Block, labels: Labels) -> None:
        self._parts.append(labels)
        if block.columns.stop < self._source.width:
            return
        strip = np.concatenate(self._parts, axis=1)
        self._parts.clear()
        if self._source.plane_dim is None:
            self._writer.write(strip, (block.rows.start, 0))
        else:
            self._writer.write(strip[None], (block.plane, block.rows.start, 0))


def labels_of(block: Block, invalid: Invalid = "predict") -> Labels:
    """Take the most probable class of each pixel, uint8 (y, x).

    Pixels for which the predictor holds no class possible, or gives NaN, are ignored; invalid ones only if asked for.
    """
    labels: Labels = block.log_probabilities.argmax(axis=0).astype(np.uint8)
    labels[~np.isfinite(block.log_probabilities.max(axis=0))] = IGNORE
    if invalid == "ignore":
        labels[~block.valid] = IGNORE
    return labels
