"""A volume of grains: which grain every voxel belongs to, and how each is oriented."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError


@dataclass(frozen=True)
class GrainVolume:
    """A polycrystal on voxels.

    Attributes
    ----------
    labels
        Grain numbers (z, y, x), 1 to n; 0 is no grain.
    orientations
        (n, 3, 3): turns vectors of the crystal's frame into the sample's.
    voxel_size
        Edge of a voxel in mm.
    centre
        Position (x, y, z) in mm of the volume's centre; the rotation axis is x = y = 0.
    strains
        (n, 3, 3) small strains in the sample's frame, or None for none.
    """

    labels: Integers
    orientations: Float64
    voxel_size: float
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    strains: Float64 | None = None

    def __post_init__(self) -> None:
        if self.labels.ndim != 3 or self.labels.dtype.kind not in "iu":
            raise InputError(
                f"grain numbers have the shape {self.labels.shape} and type {self.labels.dtype}, expected whole "
                "numbers (z, y, x)"
            )
        if self.orientations.ndim != 3 or self.orientations.shape[1:] != (3, 3):
            raise InputError(f"orientations have the shape {self.orientations.shape}, expected (grain, 3, 3)")
        low, high = int(self.labels.min(initial=0)), int(self.labels.max(initial=0))
        if low < 0 or high > len(self.orientations) or high == 0:
            raise InputError(
                f"grain numbers reach from {low} to {high}, expected 1 to {len(self.orientations)}, one for each "
                "orientation, and 0 for no grain"
            )
        turned = np.einsum("nji,njk->nik", self.orientations, self.orientations)
        if not (np.abs(turned - np.eye(3)).max() < 1e-5 and (np.linalg.det(self.orientations) > 0.0).all()):
            raise InputError("an orientation is no rotation matrix (orthogonal, determinant 1)")
        if not self.voxel_size > 0.0:
            raise InputError(f"voxels are {self.voxel_size:g} mm wide, expected more than 0")
        if self.strains is not None and self.strains.shape != self.orientations.shape:
            raise InputError(f"strains have the shape {self.strains.shape}, expected {self.orientations.shape}")

    @property
    def count(self) -> int:
        """Number of grains, those without a voxel included."""
        return len(self.orientations)

    @cached_property
    def volumes(self) -> Float64:
        """Volume (grain,) of each in mm³."""
        voxels = np.bincount(self.labels.ravel(), minlength=self.count + 1)[1:]
        return np.asarray(voxels * self.voxel_size**3)

    @property
    def diameters(self) -> Float64:
        """Diameter (grain,) in mm of the sphere of each grain's volume."""
        return np.cbrt(6.0 / np.pi * self.volumes)

    @property
    def origin(self) -> Float64:
        """Position (x, y, z) in mm of the centre of the first voxel."""
        size = np.array(self.labels.shape[::-1], dtype=np.float64)
        return np.asarray(self.centre) - 0.5 * (size - 1.0) * self.voxel_size
