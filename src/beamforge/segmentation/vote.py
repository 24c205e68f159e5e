"""Mending labels that flip between neighbouring slices of one particle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.stack import IGNORE

REACH = 2
"""Slices on either side that vote."""
_OWN = 0.6
"""Weight of a section's own pixels."""
_WEIGHTS = (0.7, 0.6)
"""Weight of those of the next slice and the one behind: two flipped slices between right ones are outvoted."""
_AGREED = 0.7
"""Share of the neighbours' weight that one class must have: the sections of composite particles keep their mixture."""

Labels = NDArray[np.uint8]


def consistency_vote(labels: Any, classes: int, *, background: int = 0, reach: int = REACH) -> Iterator[Labels]:
    """Let the slices above and below vote on the class of every section of a particle; give slice after slice.

    A section is what touches in one slice and is not background. It becomes the class that its place has most of in the
    slices within reach if that class is not its own largest one, has at least 0.7 of the weight of all particle pixels
    there, and more weight than the section's own largest class. Nothing becomes background or ceases to be.

    Parameters
    ----------
    labels
        Class numbers (z, y, x), 255 = ignore; may be lazy, a few slices are held at a time.
    classes
        How many classes there are.
    background
        The class that is no particle.
    reach
        Slices on either side that vote, 1 or 2.

    Yields
    ------
    uint8 (y, x), one for each slice.

    Raises
    ------
    InputError
        If the labels are no volume, or the reach is impossible.
    """
    if len(labels.shape) != 3:
        raise InputError(f"labels of shape {tuple(labels.shape)}, expected a volume (z, y, x)")
    if not 1 <= reach <= len(_WEIGHTS):
        raise InputError(f"a reach of {reach} slices, expected 1 to {len(_WEIGHTS)}")
    depth = labels.shape[0]
    particles = np.array([number for number in range(classes) if number != background], dtype=np.uint8)
    held: dict[int, Labels] = {}
    for z in range(depth):
        near = range(max(z - reach, 0), min(z + reach, depth - 1) + 1)
        held = {at: held[at] if at in held else np.asarray(labels[at], dtype=np.uint8) for at in near}
        yield _voted(held[z], {at - z: held[at] for at in near if at != z}, particles, background)


def _voted(own: Labels, others: Mapping[int, Labels], particles: Labels, background: int) -> Labels:
    inside = (own != background) & (own != IGNORE)
    sections, count = ndimage.label(inside, structure=np.ones((3, 3), dtype=bool))
    if not count or not others or len(particles) < 2:
        return own
    mine = _areas(own, sections, count, particles)
    near = np.zeros_like(mine)
    for step, slice_ in others.items():
        near += _WEIGHTS[abs(step) - 1] * _areas(slice_, sections, count, particles)
    largest, wanted = mine.argmax(axis=1), near.argmax(axis=1)
    weight = near.max(axis=1)
    agreed = weight >= _AGREED * near.sum(axis=1)
    outvoted = (largest != wanted) & agreed & (weight > _OWN * mine.max(axis=1))
    becomes = np.concatenate([[background], np.where(outvoted, particles[wanted], background)]).astype(np.uint8)
    changed = becomes[sections]
    return np.where(inside & (changed != background), changed, own)


def _areas(labels: Labels, sections: NDArray[np.int32], count: int, particles: Labels) -> Float64:
    """Count the pixels of each particle class in the place of each section (section, class)."""
    inside = sections > 0
    return np.stack([
        np.bincount(sections[inside & (labels == number)], minlength=count + 1)[1:].astype(np.float64)
        for number in particles
    ], axis=1)  # fmt: skip
