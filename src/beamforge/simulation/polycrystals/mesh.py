"""Cutting grains into cells small enough for the detector: one ray is traced for each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.ndimage import find_objects

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError
from beamforge.simulation.polycrystals.volume import GrainVolume

_ACROSS = 5
"""Fewest cells along the diameter of a grain, where its voxels allow them."""


@dataclass(frozen=True)
class GrainMesh:
    """Grains cut into cells.

    Attributes
    ----------
    centres
        Centres of mass (cell, 3) in mm, x, y, z.
    volumes
        (cell,) in mm³.
    first
        Cells of grain g, counted from 0, are ``first[g]`` to ``first[g + 1]``.
    edges
        Edges (grain, 3) in mm of the full cells along x, y, z.
    middles, radii
        Centre (grain, 3) and radius (grain,) in mm of a ball that holds all cells; NaN and 0 for an empty grain.
    """

    centres: Float64
    volumes: Float64
    first: Integers
    edges: Float64
    middles: Float64
    radii: Float64

    @classmethod
    def of(cls, volume: GrainVolume, edge: float | tuple[float, float, float]) -> GrainMesh:
        """Cut a volume into cells of about an edge in mm.

        Voxels are joined to blocks, or divided where they are larger; small grains get smaller cells, so that each is
        cut into a few along any direction. No volume is lost: a block that a grain fills in part is a smaller cell
        at its centre of mass.

        Parameters
        ----------
        volume
            The grains.
        edge
            Wanted edge of the cells in mm; three for x, y and z cut differently along each.
        """
        wanted = np.broadcast_to(np.asarray(edge, dtype=np.float64), 3)
        if not (wanted > 0.0).all():
            raise InputError(f"cells are to be {edge} mm wide, expected more than 0")
        pieces = [
            _cells(volume, number, place, wanted, float(volume.diameters[number - 1]))
            for number, place in enumerate(find_objects(volume.labels, max_label=volume.count), start=1)
        ]
        middles = np.full((volume.count, 3), np.nan)
        radii = np.zeros(volume.count)
        for grain, (centres, _, edges) in enumerate(pieces):
            if len(centres):
                middles[grain] = 0.5 * (centres.min(axis=0) + centres.max(axis=0))
                radii[grain] = np.linalg.norm(centres - middles[grain], axis=1).max() + 0.5 * np.linalg.norm(edges)
        return cls(
            centres=np.concatenate([centres for centres, _, _ in pieces]),
            volumes=np.concatenate([volumes for _, volumes, _ in pieces]),
            first=np.concatenate([[0], np.cumsum([len(centres) for centres, _, _ in pieces])]),
            edges=np.array([edges for _, _, edges in pieces]),
            middles=middles,
            radii=radii,
        )


_Piece = tuple[Float64, Float64, Float64]


def _cells(
    volume: GrainVolume, number: int, place: tuple[slice, ...] | None, wanted: Float64, diameter: float
) -> _Piece:
    """Give centres (cell, 3), volumes (cell,) and edges (3,) of one grain's cells."""
    size = volume.voxel_size
    if place is None:
        return np.zeros((0, 3)), np.zeros(0), np.full(3, size)
    target = np.minimum(wanted, max(diameter / _ACROSS, size))
    block = np.maximum(np.floor(target / size + 0.25), 1.0).astype(int)
    parts = np.maximum(np.floor(size / wanted + 0.25), 1.0).astype(int)
    index = np.argwhere(volume.labels[place] == number)[:, ::-1]
    blocks = index // block
    shape = blocks.max(axis=0) + 1
    _, owner = np.unique(np.ravel_multi_index(tuple(blocks.T), tuple(shape)), return_inverse=True)
    voxels = np.bincount(owner).astype(np.float64)
    sums = np.stack([np.bincount(owner, weights=index[:, axis]) for axis in range(3)], axis=1)
    start = np.array([axis.start for axis in place[::-1]])
    centres = volume.origin + (start + sums / voxels[:, None]) * size
    volumes = voxels * size**3
    if (parts > 1).any():
        shifts = np.array(list(product(*((np.arange(n) + 0.5) / n - 0.5 for n in parts)))) * size
        centres = (centres[:, None] + shifts).reshape(-1, 3)
        volumes = np.repeat(volumes / len(shifts), len(shifts))
    return centres, volumes, block * size / parts
