"""Mending labels that flip between neighbouring slices of one particle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from beamforge.errors import InputError
from beamforge.stack import IGNORE

REACH = 2
"""Slices on either side that vote."""
_WEIGHTS = (1.0, 0.7, 0.6)
"""Weight of the slice itself, of its neighbours and of theirs: two flipped slices between right ones are outvoted."""

Labels = NDArray[np.uint8]


def consistency_vote(labels: Any, classes: int, *, background: int = 0, reach: int = REACH) -> Iterator[Labels]:
    """Let the slices above and below vote on the class of every particle voxel; give slice after slice.

    A voxel of a particle class takes another particle class if the slices within reach give that class more weight
    than its own, and hold it at this place on both sides. Where more than half of a piece, touching pixels of one class
    in a slice, changes to one class, the rest follows: at its widest slice the outline of a particle has nothing above
    and below. Nothing becomes background or ceases to be; the rim of a composite particle stays at its caps, where one
    side is background.

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
    if not 1 <= reach < len(_WEIGHTS):
        raise InputError(f"a reach of {reach} slices, expected 1 to {len(_WEIGHTS) - 1}")
    depth = labels.shape[0]
    held: dict[int, Labels] = {}
    for z in range(depth):
        near = range(max(z - reach, 0), min(z + reach, depth - 1) + 1)
        held = {at: held.get(at) if at in held else _slice(labels, at) for at in near}  # type: ignore[misc]
        below = [held[z - step] for step in range(1, reach + 1) if z - step >= 0]
        above = [held[z + step] for step in range(1, reach + 1) if z + step < depth]
        particles = [number for number in range(classes) if number != background]
        yield _with_whole_pieces(held[z], _voted(held[z], below, above, particles), particles)


def _slice(labels: Any, z: int) -> Labels:
    return np.asarray(labels[z], dtype=np.uint8)


def _voted(own: Labels, below: Sequence[Labels], above: Sequence[Labels], particles: Sequence[int]) -> Labels:
    votes = np.zeros((len(particles), *own.shape), dtype=np.float32)
    possible = np.zeros(votes.shape, dtype=bool)
    for place, number in enumerate(particles):
        votes[place] = _WEIGHTS[0] * (own == number)
        sides = []
        for side in (below, above):
            seen = np.zeros(own.shape, dtype=bool)
            for weight, slice_ in zip(_WEIGHTS[1:], side, strict=False):
                hit = slice_ == number
                votes[place] += np.float32(weight) * hit
                seen |= hit
            sides.append(seen)
        possible[place] = (own == number) | (sides[0] & sides[1])
    votes[~possible] = -1.0
    best = votes.argmax(axis=0)
    # A tie keeps what is there.
    of_own = np.take_along_axis(votes, _places(own, particles)[None], axis=0)[0]
    winner = np.asarray(particles, dtype=np.uint8)[best]
    is_particle = np.isin(own, particles) & (own != IGNORE)
    return np.where(is_particle & (votes.max(axis=0) > of_own + 1e-6), winner, own).astype(np.uint8)


def _with_whole_pieces(own: Labels, voted: Labels, particles: Sequence[int]) -> Labels:
    """Let a piece follow the more than half of it that changed to one class."""
    found = voted.copy()
    for number in particles:
        if not (voted[own == number] != number).any():
            continue
        pieces, count = ndimage.label(own == number, structure=np.ones((3, 3), dtype=bool))
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)
        for other in particles:
            changed = np.bincount(pieces[voted == other], minlength=count + 1)
            followed = (changed > 0.5 * sizes) & (np.arange(count + 1) > 0) & (other != number)
            found[followed[pieces]] = other
    return found


def _places(own: Labels, particles: Sequence[int]) -> NDArray[np.intp]:
    """Give the place of each pixel's class in the list of particle classes; 0 for others."""
    table = np.zeros(IGNORE + 1, dtype=np.intp)
    table[list(particles)] = np.arange(len(particles))
    return table[own]
