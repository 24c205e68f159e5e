"""Orientations of grains: drawn uniformly or from a texture, and the angles between them.

An orientation U (3, 3) turns vectors of the crystal's Cartesian frame into the sample's.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat
from scipy.spatial.transform import Rotation

from beamforge.arrays import Float64
from beamforge.errors import InputError

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class TextureComponent(BaseModel):
    """Grains near one ideal orientation.

    Attributes
    ----------
    euler
        The ideal orientation as Bunge angles (phi1, Phi, phi2) in degrees.
    spread
        Standard deviation in degrees of the turn away from it, about each of three axes.
    share
        Fraction of all grains.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    euler: tuple[float, float, float]
    spread: PositiveFloat = 5.0
    share: Share


def uniform_orientations(count: int, rng: Generator) -> Float64:
    """Draw orientations (count, 3, 3) uniformly on SO(3)."""
    # Four normal numbers point evenly over the sphere of unit quaternions, which is SO(3) twice.
    return np.asarray(Rotation.from_quat(rng.standard_normal((count, 4))).as_matrix())


def textured_orientations(count: int, components: tuple[TextureComponent, ...], rng: Generator) -> Float64:
    """Draw orientations (count, 3, 3) from texture components; what they leave of the grains is uniform.

    Raises
    ------
    InputError
        If the components claim more than all grains.
    """
    shares = np.array([component.share for component in components])
    if shares.sum() > 1.0 + 1e-9:
        raise InputError(f"the texture components claim {shares.sum():g} of the grains, expected 1 or less")
    matrices = uniform_orientations(count, rng)
    chosen = np.searchsorted(np.cumsum(shares), rng.random(count), side="right")
    for number, component in enumerate(components):
        of_it = np.flatnonzero(chosen == number)
        if not len(of_it):
            continue
        turns = Rotation.from_rotvec(np.radians(component.spread) * rng.standard_normal((len(of_it), 3)))
        matrices[of_it] = (turns * Rotation.from_matrix(from_euler(np.array(component.euler)))).as_matrix()
    return matrices


def from_euler(angles: Float64) -> Float64:
    """Give the orientations (..., 3, 3) of Bunge angles (..., 3) in degrees."""
    angles = np.asarray(angles, dtype=np.float64)
    # Bunge's angles turn the sample's axes onto the crystal's; the inverse of that passive turn is ours.
    flat = Rotation.from_euler("ZXZ", angles.reshape(-1, 3), degrees=True).as_matrix()
    return np.asarray(flat).reshape(*angles.shape[:-1], 3, 3)


def from_rodrigues(vectors: Float64) -> Float64:
    """Give the orientations (..., 3, 3) of Rodrigues vectors (..., 3): the axis times tan of half the angle."""
    vectors = np.asarray(vectors, dtype=np.float64)
    flat = vectors.reshape(-1, 3)
    quaternions = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
    return np.asarray(Rotation.from_quat(quaternions).as_matrix()).reshape(*vectors.shape[:-1], 3, 3)


def disorientation(first: Float64, second: Float64, rotations: Float64) -> Float64:
    """Give the smallest angles in degrees that turn one orientation into another, over the crystal's symmetry.

    Parameters
    ----------
    first, second
        Orientations (n, 3, 3).
    rotations
        Proper rotations of the crystal (rotation, 3, 3), as `Crystal.rotations`.

    Returns
    -------
    (n,)
    """
    between = np.swapaxes(np.asarray(first), -1, -2) @ np.asarray(second)
    # trace(R D) over symmetry operations R; D and its inverse share the angle, so one side is enough.
    traces = np.einsum("rij,nji->nr", rotations, between)
    cosines = np.clip((traces.max(axis=1) - 1.0) / 2.0, -1.0, 1.0)
    return np.asarray(np.degrees(np.arccos(cosines)))
