"""Thicknesses along the beam through volumes of labels: radiographs and sets of projections for tomography."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError


def thicknesses_along(labels: Integers, materials: int, voxel: float, axis: int = 0) -> Float64:
    """Add up how much of each material lies along an axis of a volume.

    Parameters
    ----------
    labels
        (z, y, x) number of the material in each voxel; 0 is nothing.
    materials
        Number of materials, 1 to `materials` in the volume.
    voxel
        Side of a voxel in cm.
    axis
        Of the beam.

    Returns
    -------
    (material, ...) thickness in cm, without the axis of the beam.
    """
    volume = _checked(labels, materials, voxel)
    return np.stack([(volume == number).sum(axis=axis) * voxel for number in range(1, materials + 1)])


def projected_thicknesses(labels: Integers, materials: int, voxel: float, angles: ArrayLike) -> Float64:
    """Project a volume that turns around its z axis.

    Parameters
    ----------
    labels, materials, voxel
        As in `thicknesses_along`; y and x of equal size.
    angles
        (angle,) in degrees; at 0 the beam runs along y.

    Returns
    -------
    (material, angle, z, x) thickness in cm. What leaves the circle inscribed in a slice must be 0.

    Raises
    ------
    InputError
        If slices are not square or hold material outside their inscribed circle, which would leave the view.
    """
    from skimage.transform import radon

    volume = _checked(labels, materials, voxel)
    side = volume.shape[1]
    if volume.shape[2] != side:
        raise InputError(
            f"slices of {volume.shape[1]}×{volume.shape[2]} voxels (y, x) cannot turn; pad them to squares"
        )
    # The circle is that of skimage's radon, so that a pixel it would drop is refused here.
    from_axis = np.arange(side) - side // 2
    outside = from_axis[:, None] ** 2 + from_axis[None, :] ** 2 > (side // 2) ** 2
    if volume[:, outside].any():
        raise InputError(
            "the volume holds material outside the circle inscribed in its slices, which would leave the view while it "
            "turns; pad the slices with 0"
        )
    turns = np.atleast_1d(np.asarray(angles, dtype=np.float64))
    projected = np.zeros((materials, len(turns), len(volume), side))
    for number in range(1, materials + 1):
        for z, labels_of_slice in enumerate(volume):
            if (inside := labels_of_slice == number).any():
                projected[number - 1, :, z] = radon(inside.astype(np.float64), theta=turns, circle=True).T * voxel
    return np.maximum(projected, 0.0)


def _checked(labels: Integers, materials: int, voxel: float) -> Integers:
    volume = np.asarray(labels)
    if volume.ndim != 3 or volume.dtype.kind not in "ui":
        raise InputError(f"a volume of labels has the shape {volume.shape} and type {volume.dtype}, expected integers "
                         "(z, y, x)")  # fmt: skip
    highest = int(volume.max(initial=0))
    if highest > materials or int(volume.min(initial=0)) < 0:
        raise InputError(f"the volume holds the material {highest}, but {materials} are named; 0 is nothing")
    if not voxel > 0.0:
        raise InputError(f"a voxel has the side {voxel:g} cm, expected a positive number")
    return volume
