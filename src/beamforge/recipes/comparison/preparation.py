"""Steps that every slice goes through before a network sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import SeedSequence, default_rng

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.io.slices import AnnotatedSlices, Labels
from beamforge.simulation import Sample, Step


class PreparedSlices(AnnotatedSlices):
    """Slices as they are after some steps.

    Parameters
    ----------
    slices
        As they were measured.
    steps
        What they go through, in order.
    """

    def __init__(self, slices: AnnotatedSlices, steps: Sequence[Step]) -> None:
        super().__init__(slices.slices, slices.annotated, slices.classes, slices.channels, ordered=slices.ordered)
        self._measured = slices
        self._steps = tuple(steps)

    def _read_image(self, number: int) -> Float32:
        return apply_steps(self._steps, self._measured.image(number))

    def _read_labels(self, number: int) -> Labels:
        return self._measured.labels(number)


def apply_steps(steps: Sequence[Step], image: Float32) -> Float32:
    """Let an image (channel, y, x) go through steps; what they draw is the same for every image."""
    sample = Sample(np.asarray(image, dtype=np.float32), np.zeros(image.shape[1:], np.uint8))
    for step, stream in zip(steps, SeedSequence(0).spawn(len(steps)), strict=True):
        draw, apply = (default_rng(one) for one in stream.spawn(2))
        sample = step.apply(sample, step.draw(sample, draw), apply)
    return sample.image


def load_steps(folder: str | Path) -> list[Step]:
    """Read the steps that a comparison fitted, in order.

    Raises
    ------
    InputError
        If the folder holds none.
    """
    places = sorted(place for place in Path(folder).glob("*") if (place / "config.json").is_file())
    if not places:
        raise InputError(f"{folder} holds no fitted steps; it is the folder `preprocessing` of a comparison's run")
    return [Step.load(place) for place in places]
