"""Drawing the particles of an alloy: plates, needles, stringers of inclusions, and composite particles."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float64
from beamforge.simulation.micropillar.bodies import Bodies

AIR, MATRIX, PRECIPITATE, INCLUSION = 0, 1, 2, 3
"""Phases of a pillar."""


def random_rotation(rng: Generator) -> Float64:
    """Draw a rotation (3, 3), all equally likely. Source: Shoemake 1992, a random unit quaternion."""
    w, x, y, z = (v := rng.normal(size=4)) / np.linalg.norm(v)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def _frames(normals: Float64, rng: Generator) -> Float64:
    """Give orthonormal axes (body, 3, 3) whose first row is the normal."""
    other = rng.normal(size=normals.shape)
    second = np.cross(normals, other)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return np.stack([normals, second, np.cross(normals, second)], axis=1)


def _habit(count: int, grain: Float64, scatter: float, rng: Generator) -> Float64:
    """Draw which of the four {111} directions of a grain each body follows, slightly off (body, 3)."""
    directions = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]) / np.sqrt(3.0)
    chosen = directions[rng.integers(4, size=count)] @ grain.T + rng.normal(0, scatter, (count, 3))
    return np.asarray(chosen / np.linalg.norm(chosen, axis=1, keepdims=True))


def plates(count: int, box: Float64, grain: Float64, scale: float, rng: Generator) -> Bodies:
    """Draw plate-like precipitates on the habit planes of a grain.

    Parameters
    ----------
    count
        How many.
    box
        (3,) sides of the volume in px, in which the centres lie evenly.
    grain
        (3, 3) orientation of the matrix.
    scale
        Factor of all lengths.
    rng
        Random stream.
    """
    radius = scale * rng.lognormal(np.log(7.0), 0.35, count)
    thickness = scale * rng.uniform(1.1, 2.2, count)
    return Bodies(
        rng.uniform(0, 1, (count, 3)) * box,
        _frames(_habit(count, grain, 0.05, rng), rng),
        np.stack([thickness, radius, radius * rng.uniform(0.7, 1.0, count)], axis=1),
        np.full(count, 2.5),
        np.full(count, PRECIPITATE),
    )


def needles(count: int, box: Float64, grain: Float64, scale: float, rng: Generator) -> Bodies:
    """Draw needle-like precipitates along directions of a grain; parameters as of `plates`."""
    length = scale * rng.lognormal(np.log(14.0), 0.4, count)
    radius = scale * rng.uniform(1.1, 2.4, count)
    return Bodies(
        rng.uniform(0, 1, (count, 3)) * box,
        _frames(_habit(count, grain, 0.08, rng), rng),
        np.stack([length, radius, radius], axis=1),
        np.full(count, 2.0),
        np.full(count, PRECIPITATE),
    )


def stringers(count: int, box: Float64, rolling: Float64, scale: float, rng: Generator) -> Bodies:
    """Draw inclusions broken up along the rolling direction; each is a lump of up to three ellipsoids.

    Parameters
    ----------
    count
        How many stringers.
    box, scale, rng
        As of `plates`.
    rolling
        (3,) unit vector along which a stringer runs.
    """
    centres = []
    for _ in range(count):
        start, inclusions = rng.uniform(0, 1, 3) * box, int(rng.integers(3, 9))
        gaps = np.cumsum(scale * rng.uniform(9.0, 20.0, inclusions))
        line = start + (gaps - gaps.mean())[:, None] * rolling
        centres.append(line + rng.normal(0, 2.0 * scale, (inclusions, 3)))
    places = np.concatenate(centres) if centres else np.zeros((0, 3))
    lumps = rng.integers(1, 4, len(places))
    radii = np.repeat(scale * rng.lognormal(np.log(5.0), 0.3, len(places)), lumps)
    total = int(lumps.sum())
    shape = radii[:, None] * rng.uniform(0.6, 1.2, (total, 3))
    axes = np.array([random_rotation(rng) for _ in range(total)]).reshape(total, 3, 3)
    offset = np.repeat((lumps > 1).astype(float), lumps) * radii
    where = np.repeat(places, lumps, axis=0) + rng.normal(0, 0.5, (total, 3)) * offset[:, None]
    return Bodies(where, axes, shape, rng.uniform(2.0, 4.0, total), np.full(total, INCLUSION))


def rimmed(count: int, box: Float64, scale: float, rng: Generator) -> Bodies:
    """Draw composite particles, a core of one phase in a rim of the other, rims first; parameters as of `plates`."""
    radii = scale * rng.lognormal(np.log(5.5), 0.25, (count, 1)) * rng.uniform(0.7, 1.3, (count, 3))
    axes = np.array([random_rotation(rng) for _ in range(count)]).reshape(count, 3, 3)
    inside = np.where(rng.random(count) < 0.7, INCLUSION, PRECIPITATE)
    cores = Bodies(rng.uniform(0, 1, (count, 3)) * box, axes, radii, rng.uniform(2.0, 3.0, count), inside)
    width = scale * rng.uniform(1.6, 3.2, (count, 1))
    around = np.where(inside == INCLUSION, PRECIPITATE, INCLUSION)
    return Bodies.join([Bodies(cores.centres, axes, radii + width, cores.sharpness, around), cores])
