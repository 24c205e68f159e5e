"""Which particles are found, by their size, and whether their class is right.

A particle is a set of touching pixels or voxels that are not of the background class, whatever mixture of other classes
it is; pixels labelled 255 belong to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator
from scipy import ndimage

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError
from beamforge.stack import IGNORE

SIZE_EDGES = (4.0, 8.0, 16.0, 32.0)
"""Equivalent diameters in px between the size bins."""
_FOUND = 0.5
"""Share of a particle that must be marked for it to count as found."""
_PHASE = 0.1
"""Share of a particle from which a class counts as one of its phases."""


class ParticleScores(BaseModel):
    """Counts of true particles, which add up over images.

    Attributes
    ----------
    edges
        Equivalent diameters in px between the size bins; the first bin reaches down to 0, the last up to any size.
    count, found, right
        Particles of each size bin; those of which at least half of the pixels are not taken for background; of these,
        those whose largest class is the one that most of their pixels were given.
    composite, composite_right
        Particles with two classes or more that each make up a tenth of it; those in whose place the prediction has
        exactly these classes, by the same rule.
    false
        Predicted particles that touch no true one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: tuple[float, ...] = SIZE_EDGES
    count: tuple[int, ...]
    found: tuple[int, ...]
    right: tuple[int, ...]
    composite: int = 0
    composite_right: int = 0
    false: int = 0

    @model_validator(mode="after")
    def _bins_fit(self) -> Self:
        bins = len(self.edges) + 1
        if not len(self.count) == len(self.found) == len(self.right) == bins:
            raise ValueError(f"{len(self.count)} counts for {bins} size bins")
        return self

    @property
    def recall(self) -> float | None:
        """Share of the particles that are found; None without any."""
        return _ratio(sum(self.found), sum(self.count))

    @property
    def class_accuracy(self) -> float | None:
        """Share of the found particles whose class is right; None if none is found."""
        return _ratio(sum(self.right), sum(self.found))

    @property
    def recall_by_size(self) -> tuple[float | None, ...]:
        """Share found in each size bin; None in an empty one."""
        return tuple(_ratio(found, count) for found, count in zip(self.found, self.count, strict=True))

    @property
    def composite_accuracy(self) -> float | None:
        """Share of the composite particles with the right classes; None without any."""
        return _ratio(self.composite_right, self.composite)

    @property
    def bin_names(self) -> tuple[str, ...]:
        """The sizes in words."""
        inner = [f"{low:g}–{high:g} px" for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)]
        return (f"< {self.edges[0]:g} px", *inner, f"≥ {self.edges[-1]:g} px")

    @classmethod
    def total(cls, parts: Iterable[ParticleScores]) -> ParticleScores:
        """Add the counts of several images.

        Raises
        ------
        InputError
            If there is none, or their size bins differ.
        """
        scores = list(parts)
        if not scores or len({one.edges for one in scores}) > 1:
            raise InputError(f"{len(scores)} particle counts to add, expected some with the same size bins")
        sums = {
            name: tuple(int(n) for n in np.sum([getattr(one, name) for one in scores], axis=0))
            for name in ("count", "found", "right")
        }
        return cls(
            edges=scores[0].edges,
            **sums,
            composite=sum(one.composite for one in scores),
            composite_right=sum(one.composite_right for one in scores),
            false=sum(one.false for one in scores),
        )


def score_particles(
    truth: Integers, predicted: Integers, classes: int, *, background: int = 0, edges: Sequence[float] = SIZE_EDGES
) -> ParticleScores:
    """Compare the particles of an image (y, x) or a volume (z, y, x) with a prediction.

    Pixels touch if they share a corner. The size of a particle is the diameter of the disc or ball of its area.

    Parameters
    ----------
    truth, predicted
        Class numbers; pixels that are 255 in the truth count nowhere.
    classes
        How many classes there are.
    background
        The class that is no particle.
    edges
        Between the size bins, in px, rising.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if truth.shape != predicted.shape:
        raise InputError(f"the truth has shape {truth.shape} but the prediction {predicted.shape}; they must agree")
    known = truth != IGNORE
    particles, count = label_particles(truth, background)
    shares_true = class_shares(particles, truth, count, classes)
    shares_found = class_shares(particles, predicted, count, classes)
    sizes = np.bincount(particles.ravel(), minlength=count + 1)[1:]
    found = (1.0 - shares_found[:, background]) >= _FOUND
    others = [number for number in range(classes) if number != background]
    right = found & (_largest(shares_true, others) == _largest(shares_found, others))
    phases_true, phases_found = shares_true[:, others] >= _PHASE, shares_found[:, others] >= _PHASE
    composite = phases_true.sum(axis=1) >= 2
    bins = np.searchsorted(np.asarray(edges), equivalent_diameter(sizes, truth.ndim), side="right")
    guessed, guesses = label_particles(np.where(known, predicted, IGNORE), background)
    touching = np.unique(guessed[(particles > 0) & known])

    def binned(chosen: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(int(n) for n in np.bincount(bins[chosen], minlength=len(edges) + 1))

    return ParticleScores(
        edges=tuple(float(edge) for edge in edges),
        count=binned(np.ones(count, dtype=bool)),
        found=binned(found),
        right=binned(right),
        composite=int(composite.sum()),
        composite_right=int((composite & (phases_true == phases_found).all(axis=1)).sum()),
        false=guesses - int((touching > 0).sum()),
    )


def label_particles(labels: Integers, background: int) -> tuple[NDArray[np.int32], int]:
    """Number the particles of a label image or volume from 1; 0 is no particle. Give their count too."""
    mask = (labels != background) & (labels != IGNORE)
    numbers, count = ndimage.label(mask, structure=np.ones((3,) * labels.ndim, dtype=bool))
    return numbers, int(count)


def class_shares(particles: NDArray[np.int32], labels: Integers, count: int, classes: int) -> Float64:
    """Give the share of each class in the place of each particle (particle, class); 255 counts as none."""
    inside = (particles > 0) & (labels != IGNORE)
    cells = (particles[inside].astype(np.int64) - 1) * classes + labels[inside]
    counts = np.bincount(cells, minlength=count * classes).reshape(count, classes).astype(np.float64)
    shares: Float64 = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return shares


def equivalent_diameter(sizes: Integers, dimensions: int) -> Float64:
    """Give the diameter in px of the disc (2 dimensions) or the ball (3) of each size in px or voxels."""
    values = np.asarray(sizes, dtype=np.float64)
    return np.sqrt(4.0 * values / np.pi) if dimensions == 2 else np.cbrt(6.0 * values / np.pi)


def _largest(shares: Float64, others: list[int]) -> NDArray[np.intp]:
    return np.asarray(others)[shares[:, others].argmax(axis=1)] if len(shares) else np.zeros(0, dtype=np.intp)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
