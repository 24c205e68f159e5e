"""Which sample is used in which step: a function of the seed and the step alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from beamforge.arrays import Integers
from beamforge.errors import InputError
from beamforge.stack import Channel, Classes

if TYPE_CHECKING:
    from torch import Tensor


class LabelledTiles(Protocol):
    """Data to train on or to validate with.

    ``[i]`` gives the image, float32 (channel, y, x), and the labels, int64 (y, x), and depends on ``i`` alone. Of
    ``endless`` data any number ≥ 0 is a new sample, and the length is how many make one epoch or one validation.
    """

    @property
    def classes(self) -> Classes:
        """The classes of the labels."""
        ...

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels of the images are."""
        ...

    @property
    def endless(self) -> bool:
        """Whether any number is a sample."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Plan:
    """Lays samples out over the steps of a training.

    Endless data is walked through once, without repeating; finite data again and again, each time in another order,
    drawn from ``SeedSequence([seed, pass])``. Without `steps` an epoch is the whole length, its last batch smaller.

    Attributes
    ----------
    length, endless
        Of the data.
    batch
        Samples in a step.
    epochs
        Number of epochs.
    steps
        Steps of an epoch, or None.
    seed
        Seed of the order.
    first
        Samples taken by earlier stages of the training.
    """

    length: int
    endless: bool
    batch: int
    epochs: int
    steps: int | None
    seed: int
    first: int = 0

    def __post_init__(self) -> None:
        if self.length < 1:
            raise InputError("the training data is empty")

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch."""
        return self.steps or -(-self.length // self.batch)

    @property
    def total_steps(self) -> int:
        """Steps of the training."""
        return self.epochs * self.steps_per_epoch

    @property
    def total_samples(self) -> int:
        """Samples of the training, repeated ones counted again."""
        return self.epochs * (self.steps * self.batch if self.steps else self.length)

    def samples(self, step: int) -> list[int]:
        """Give the numbers of the samples of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        per_epoch = self.steps * self.batch if self.steps else self.length
        first = self.first + epoch * per_epoch + place * self.batch
        positions = range(first, min(first + self.batch, self.first + (epoch + 1) * per_epoch))
        if self.endless:
            return list(positions)
        return [int(self._order(p // self.length)[p % self.length]) for p in positions]

    def batches(self, start: int) -> Iterator[list[int]]:
        """Go through the samples of all steps from `start` on."""
        return (self.samples(step) for step in range(start, self.total_steps))

    def _order(self, round_: int) -> Integers:
        return permutation(self.length, self.seed, round_)


@lru_cache(maxsize=2)
def permutation(length: int, seed: int, round_: int) -> Integers:
    """Give the order in which finite data is gone through in a pass."""
    return np.random.default_rng(np.random.SeedSequence([seed, round_])).permutation(length)
