"""Finding the strongest grains: a search over all orientations, then a refinement of orientation and place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.grainmapping.completeness import SpotMaps
from beamforge.physics.orientations import disorientation

_CHUNK = 4096
_ROUNDS = 12
_SHRINK = 0.65
"""Turns and the reach of the refinement become smaller by this from round to round."""
_TRIES = 400


@dataclass(frozen=True)
class IndexedGrain:
    """A grain that was found.

    Attributes
    ----------
    orientation
        (3, 3).
    position
        (3,) in mm.
    completeness
        Share of its predicted spots that are there.
    predicted
        Its spots on the detector.
    """

    orientation: Float64
    position: Float64
    completeness: float
    predicted: int


def cubic_orientations(spacing: float) -> Float64:
    """Give orientations (n, 3, 3) such that every cubic one is within about `spacing` degrees of one of them.

    A grid of Rodrigues vectors over the cubic fundamental zone, which is bounded by |component| <= √2 - 1 and
    |x| + |y| + |z| <= 1.

    Parameters
    ----------
    spacing
        Degrees between neighbours.
    """
    if not 0.1 <= spacing <= 30.0:
        raise InputError(f"orientations {spacing:g}° apart, expected 0.1 to 30")
    edge = np.sqrt(2.0) - 1.0
    steps = int(np.ceil(2.0 * edge / np.tan(np.radians(0.5 * spacing))))
    axis = (np.arange(steps) + 0.5) / steps * 2.0 * edge - edge
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.abs(grid).sum(axis=1) <= 1.0]
    return np.asarray(Rotation.from_quat(np.column_stack([grid, np.ones(len(grid))])).as_matrix())


def strongest_grains(
    maps: SpotMaps,
    rotations: Float64,
    rng: np.random.Generator,
    *,
    spacing: float = 2.0,
    candidates: int = 30,
    grains: int = 10,
    apart: float = 2.0,
    reach: float = 0.5,
    tolerance: float = 3.0,
) -> list[IndexedGrain]:
    """Find the grains of highest completeness in a cubic crystal.

    Every orientation of a grid is tried at the rotation axis with a wide tolerance; the best are refined, orientation
    and place together, by random steps that become smaller, and counted with the narrow tolerance.

    Parameters
    ----------
    maps
        The spots.
    rotations
        Proper rotations of the crystal, `Crystal.rotations`.
    rng
        Random stream of the refinement.
    spacing
        Of the grid in degrees.
    candidates
        How many are refined.
    grains
        How many are given, at most.
    apart
        Degrees from which two are not the same.
    reach
        How far in mm along each axis a grain may be from the origin.
    tolerance
        In px, of the completeness.

    Returns
    -------
    By falling completeness.
    """
    grid = cubic_orientations(spacing)
    geometry = maps.instrument.geometry
    # A crystal that is off by half of the spacing sends its beams off by all of it; some px more for the place.
    first = 0.6 * np.radians(spacing) * geometry.sample_to_detector / geometry.pixel + 5.0
    scores = np.concatenate(
        [
            maps.closeness(grid[s : s + _CHUNK], np.zeros((len(grid[s : s + _CHUNK]), 3)), first)
            for s in range(0, len(grid), _CHUNK)
        ]
    )
    found: list[IndexedGrain] = []
    for number in _apart(grid, scores, rotations, candidates, 1.5 * spacing):
        grain = _refined(maps, grid[number], rng, (spacing, reach, first), tolerance)
        if all(disorientation(grain.orientation[None], g.orientation[None], rotations)[0] > apart for g in found):
            found.append(grain)
    found.sort(key=lambda grain: -grain.completeness)
    return found[:grains]


def _apart(grid: Float64, scores: Float64, rotations: Float64, count: int, angle: float) -> list[int]:
    """Choose the best orientations that are not neighbours of better ones."""
    chosen: list[int] = []
    for number in np.argsort(-scores):
        if len(chosen) == count:
            break
        if chosen:
            same = np.broadcast_to(grid[number], (len(chosen), 3, 3))
            if disorientation(grid[chosen], same, rotations).min() < angle:
                continue
        chosen.append(int(number))
    return chosen


def _refined(
    maps: SpotMaps, orientation: Float64, rng: np.random.Generator, start: tuple[float, float, float], tolerance: float
) -> IndexedGrain:
    """Move orientation and place by random steps towards the spots; `start` is degrees, mm and px at the beginning."""
    spacing, limit, reach = start
    position, turn = np.zeros(3), 0.7 * spacing
    distance = maps.instrument.geometry.sample_to_detector
    for _ in range(_ROUNDS):
        # As far as a turn moves spots, so that place and orientation become certain together.
        shift = min(0.4 * limit, np.radians(turn) * distance)
        for _ in range(3):
            turns = Rotation.from_rotvec(np.radians(turn) * rng.uniform(-1.0, 1.0, (_TRIES, 3)))
            orientations = np.concatenate([orientation[None], turns.as_matrix() @ orientation])
            moves = position + shift * rng.uniform(-1.0, 1.0, (_TRIES, 3))
            positions = np.concatenate([position[None], np.clip(moves, -limit, limit)])
            best = int(np.argmax(maps.closeness(orientations, positions, reach)))
            orientation, position = orientations[best], positions[best]
        turn, reach = _SHRINK * turn, max(_SHRINK * reach, tolerance)
    share, predicted = maps.completeness(orientation[None], position[None], tolerance)
    return IndexedGrain(orientation, position, float(share[0]), int(predicted[0]))
