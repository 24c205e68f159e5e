"""Measured tiles that are varied anew every time they are met."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import SeedSequence, default_rng

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.learning.plan import permutation
from beamforge.simulation.sample import Sample
from beamforge.simulation.step import Step


class Augmented(LabelledImages):
    """Endless data made of other data by degradations such as ``flip``, ``rotation`` or ``tone``.

    Finite data is gone through again and again, each time in another order, so that few measured tiles become ever
    new ones.

    Parameters
    ----------
    images
        What is varied.
    steps
        Steps in order; those that make labels or need what a scenario hands on belong into a scenario instead.
    seed
        Item ``i`` draws from ``SeedSequence([seed, i])``, a pair of streams (draw, apply) for each step.

    Raises
    ------
    InputError
        If there is no step.
    """

    endless = True

    def __init__(self, images: LabelledImages, steps: Sequence[Step], seed: int) -> None:
        super().__init__(images.classes, images.channels, len(images))
        if not steps:
            raise InputError("no step to vary the images with; name some such as flip, rotation or tone")
        self.images = images
        self.steps = tuple(steps)
        self.seed = seed

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Vary an item."""
        sample = self.make_sample(index)
        return sample.image, sample.labels

    def make_sample(self, index: int) -> Sample:
        """Vary an item; what was drawn for it stands under ``augmentation`` beside the parameters it has."""
        sample = self.images.make_sample(self._source(index))
        size, known = sample.image.shape, sample.parameters
        drawn = []
        for step, stream in zip(self.steps, SeedSequence([self.seed, index]).spawn(len(self.steps)), strict=True):
            for_draw, for_apply = stream.spawn(2)
            parameters = step.draw(sample, default_rng(for_draw))
            sample = step.apply(sample, parameters, default_rng(for_apply))
            drawn.append({"step": step.step_name, **parameters})
        if sample.image.shape != size:
            raise InputError(f"the steps make {sample.image.shape} of {size} (channel, y, x); leave out what resizes")
        return sample.replace(parameters={**known, "augmentation": drawn})

    def _source(self, index: int) -> int:
        if self.images.endless:
            return index
        round_, place = divmod(index, len(self.images))
        return int(permutation(len(self.images), self.seed, round_)[place])
