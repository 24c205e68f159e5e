"""Whether the slices of one particle agree about its class."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Integers
from beamforge.errors import InputError
from beamforge.evaluation.particles import class_shares, label_particles


class Consistency(BaseModel):
    """Pairs of neighbouring slices of one particle, and how many of them change class.

    Attributes
    ----------
    pairs
        Particles counted once for each two neighbouring slices that both hold at least the least area of them.
    flips
        Pairs whose slices differ in the class that most of their pixels have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int
    flips: int

    @property
    def flip_rate(self) -> float | None:
        """Share of the pairs that flip; None without pairs."""
        return self.flips / self.pairs if self.pairs else None


def slice_consistency(
    labels: Integers, classes: int, *, background: int = 0, particles: Integers | None = None, least: int = 4
) -> Consistency:
    """Count how often the dominant class of a particle changes from one slice to the next.

    Parameters
    ----------
    labels
        Class numbers (z, y, x), 255 = ignore.
    classes
        How many classes there are.
    background
        The class that is no particle.
    particles
        Number of the particle of each voxel, 0 for none; by default the particles of `labels` itself. Given those of
        the truth, flips of a prediction and of the truth are counted over the same particles.
    least
        Fewest px of particle classes in a slice for it to have a class of its own.

    Raises
    ------
    InputError
        If the labels are no volume.
    """
    if labels.ndim != 3:
        raise InputError(f"labels of shape {labels.shape}, expected a volume (z, y, x)")
    numbers = label_particles(labels, background)[0] if particles is None else np.asarray(particles)
    count = int(numbers.max(initial=0))
    pairs = flips = 0
    before = np.full(count, -1)
    for part, marked in zip(numbers, labels, strict=True):
        sizes = np.bincount(part[(marked != background) & (part > 0)].ravel(), minlength=count + 1)[1:]
        shares = class_shares(part, marked, count, classes)
        shares[:, background] = -1.0
        dominant = np.where(sizes >= least, shares.argmax(axis=1) if count else np.zeros(0, dtype=int), -1)
        both = (before >= 0) & (dominant >= 0)
        pairs += int(both.sum())
        flips += int((both & (before != dominant)).sum())
        before = dominant
    return Consistency(pairs=pairs, flips=flips)
