"""Measured grain volumes: GrainMapper3D results and DREAM.3D files (both HDF5), or arrays of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_size, damage_named
from beamforge.physics.orientations import from_euler, from_rodrigues
from beamforge.simulation.polycrystals.volume import GrainVolume

if TYPE_CHECKING:
    import h5py

_GRAINS, _ANGLES = "FeatureIds", "EulerAngles"


def read_grain_volume(path: str | Path) -> GrainVolume:
    """Read a grain volume from HDF5.

    GrainMapper3D: ``LabDCT/Data`` with ``GrainId``, ``Rodrigues`` and, where present, ``Mask``; ``Spacing`` and
    ``Center`` in mm. DREAM.3D: the first group with ``FeatureIds`` and ``EulerAngles`` (Bunge, rad) and an image
    geometry in µm, which is centred on the rotation axis. Grains are numbered anew from 1, in the file's order.

    Raises
    ------
    InputError
        If the file is of another kind, damaged, or its voxels are no cubes.
    """
    import h5py

    with damage_named(path, "a grain volume (HDF5)"), h5py.File(path) as root:
        if "LabDCT/Data/GrainId" in root:
            return _grain_mapper(root["LabDCT"], str(path))
        group = _dream_cells(root)
        if group is None:
            raise InputError(
                f"{path} holds no grains: expected LabDCT/Data/GrainId (GrainMapper3D) or a group with {_GRAINS} and "
                f"{_ANGLES} (DREAM.3D)"
            )
        return _dream(group, str(path))


def grain_volume(
    labels: ArrayLike, orientations: ArrayLike, voxel_size: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> GrainVolume:
    """Make a grain volume of arrays whose voxels carry the orientations.

    Parameters
    ----------
    labels
        Any numbers of grains (z, y, x); 0 and below is no grain.
    orientations
        (z, y, x, 3, 3); a grain's own is the mean over its voxels.
    voxel_size
        In mm.
    centre
        Of the volume, (x, y, z) in mm.
    """
    labels, orientations = np.asarray(labels), np.asarray(orientations, dtype=np.float64)
    if labels.ndim != 3 or orientations.shape != (*labels.shape, 3, 3):
        raise InputError(
            f"grain numbers have the shape {labels.shape} and orientations {orientations.shape}, expected (z, y, x) "
            "and (z, y, x, 3, 3)"
        )
    numbers, renumbered = np.unique(labels, return_inverse=True)
    skipped = int((numbers <= 0).sum())
    fresh = np.maximum(renumbered.reshape(labels.shape) - skipped + 1, 0).astype(np.int32)
    if fresh.max(initial=0) == 0:
        raise InputError("the volume holds no grain: no number is above 0")
    return GrainVolume(fresh, _means(fresh, orientations), voxel_size, centre)


def _means(labels: Integers, orientations: Float64) -> Float64:
    """Average the orientations of each grain: the rotation nearest to the mean matrix."""
    inside = labels.ravel() > 0
    owner, matrices = labels.ravel()[inside] - 1, orientations.reshape(-1, 9)[inside]
    sums = np.stack([np.bincount(owner, matrices[:, entry]) for entry in range(9)], axis=1).reshape(-1, 3, 3)
    left, _, right = np.linalg.svd(sums)
    flip = np.linalg.det(left @ right)
    left[:, :, 2] *= flip[:, None]
    return np.asarray(left @ right)


def _read(node: Any, source: str) -> np.ndarray:
    check_size(f"{source}:{node.name}", node.shape, node.dtype, EAGER_CAP)
    return np.asarray(node[()])


def _cubic(spacing: np.ndarray, source: str, unit: str) -> float:
    edges = np.asarray(spacing, dtype=np.float64).ravel()
    if len(edges) != 3 or not np.allclose(edges, edges[0], rtol=1e-3) or not edges[0] > 0:
        raise InputError(f"{source}: voxels of {edges.tolist()} {unit}, expected cubes")
    return float(edges[0])


def _grain_mapper(root: h5py.Group, source: str) -> GrainVolume:
    data = root["Data"]
    labels = _read(data["GrainId"], source)
    if "Mask" in data:
        labels = np.where(_read(data["Mask"], source) > 0, labels, 0)
    centre = np.asarray(root["Center"][()], dtype=np.float64).ravel()
    size = _cubic(root["Spacing"][()], source, "mm")
    place = (float(centre[0]), float(centre[1]), float(centre[2]))
    return grain_volume(labels, from_rodrigues(_read(data["Rodrigues"], source)), size, place)


def _dream_cells(root: h5py.Group) -> h5py.Group | None:
    """Find the first group that has grains and orientations."""
    found: list[str] = []

    def look(name: str, _: object) -> str | None:
        group, _, own = name.rpartition("/")
        if own == _GRAINS and f"{group}/{_ANGLES}" in root:
            found.append(group)
        return found[0] if found else None

    root.visititems(look)
    return root[found[0]] if found else None


def _dream(group: h5py.Group, source: str) -> GrainVolume:
    labels, angles = _read(group[_GRAINS], source), _read(group[_ANGLES], source)
    geometry = group.parent.get("_SIMPL_GEOMETRY")
    if geometry is None or "SPACING" not in geometry:
        raise InputError(f"{source}: {group.name} has no image geometry (_SIMPL_GEOMETRY/SPACING) beside it")
    size = _cubic(geometry["SPACING"][()], source, "µm") * 1e-3
    labels = labels.reshape(labels.shape[:3])
    return grain_volume(labels, from_euler(np.degrees(angles.astype(np.float64))), size)
