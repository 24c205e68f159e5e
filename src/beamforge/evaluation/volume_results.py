"""What a materials scientist publishes about a label volume: fractions, sizes, shapes, surfaces."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy import ndimage

from beamforge.arrays import Float32, Integers
from beamforge.errors import InputError
from beamforge.evaluation.particles import equivalent_diameter
from beamforge.stack import IGNORE

_SMOOTHING = 0.8
"""Standard deviation in px by which a mask is smoothed before its surface is drawn: voxels' stairs are no surface."""
_BYTES_PER_VOXEL = 14
"""Labels, numbers of the particles, and a mask as float32 with its surface."""


class Particle(BaseModel):
    """A set of touching voxels of one class.

    Attributes
    ----------
    phase
        Name of the class.
    number
        Counted from 1 in its class.
    centre
        (z, y, x) in the unit of length.
    voxels, volume
        Size.
    equivalent_diameter
        Of the ball of the same volume.
    surface
        Area of its surface; None of particles of fewer than 8 voxels, which have no shape.
    sphericity
        Surface of the ball of the same volume over that of the particle; 1 for a ball.
    axes
        Full lengths of the axes of the ellipsoid with the same moments, falling.
    elongation, flatness
        Second over first axis, third over second.
    cut
        Whether it touches the border of the volume, so that its size is a lower bound.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: str
    number: int
    centre: tuple[float, float, float]
    voxels: int
    volume: float
    equivalent_diameter: float
    surface: float | None
    sphericity: float | None
    axes: tuple[float, float, float]
    elongation: float | None
    flatness: float | None
    cut: bool


class VolumeResults(BaseModel):
    """The figures of a label volume.

    Attributes
    ----------
    unit
        Of lengths; ``px`` where the volume has no pixel size.
    voxel
        Side of a voxel in that unit.
    shape
        (z, y, x) in px.
    voxels
        Voxels of each class.
    fractions
        Share of each class in all voxels that are not ignored.
    specific_surface
        Surface of each class but the background over the volume of all classes, in 1/unit.
    particles
        All of them, of each class but the background.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    voxel: float
    shape: tuple[int, int, int]
    voxels: dict[str, int]
    fractions: dict[str, float]
    specific_surface: dict[str, float]
    particles: tuple[Particle, ...]

    def of(self, phase: str) -> list[Particle]:
        """List the particles of a class."""
        return [one for one in self.particles if one.phase == phase]


def measure_volume(
    labels: Integers,
    names: tuple[str, ...],
    *,
    background: int = 0,
    voxel: float = 1.0,
    unit: str = "px",
    least: int = 1,
) -> VolumeResults:
    """Measure a label volume.

    Parameters
    ----------
    labels
        (z, y, x) class numbers, 255 = ignore.
    names
        Of the classes.
    background
        The class that has no particles.
    voxel, unit
        Side of a voxel and its unit.
    least
        Smaller particles, in voxels, are left out of the list; their voxels still count.

    Raises
    ------
    InputError
        If it is no volume, holds an undeclared number, or does not fit into memory.
    """
    if labels.ndim != 3:
        raise InputError(f"labels of shape {labels.shape}, expected a volume (z, y, x)")
    check_memory(labels.shape)
    counts = np.bincount(np.asarray(labels).ravel(), minlength=IGNORE + 1)
    strange = [n for n in np.flatnonzero(counts).tolist() if n >= len(names) and n != IGNORE]
    if strange:
        raise InputError(f"the volume holds the class numbers {strange[:8]}, only 0..{len(names) - 1} are declared")
    total = int(counts[: len(names)].sum())
    if not total:
        raise InputError("every voxel is 255 (ignore); nothing can be measured")
    particles: list[Particle] = []
    surfaces: dict[str, float] = {}
    for number, name in enumerate(names):
        if number != background:
            mask = labels == number
            surfaces[name] = surface_area(mask) * voxel**2 / (total * voxel**3)
            particles += _particles(mask, name, voxel, least)
    return VolumeResults(
        unit=unit,
        voxel=voxel,
        shape=labels.shape,
        voxels={name: int(counts[number]) for number, name in enumerate(names)},
        fractions={name: float(counts[number] / total) for number, name in enumerate(names)},
        specific_surface=surfaces,
        particles=tuple(particles),
    )


def check_memory(shape: tuple[int, ...]) -> None:
    """Refuse a volume whose particles could not be numbered in this machine's memory.

    Raises
    ------
    InputError
        Saying how much is needed and what to do.
    """
    needed = math.prod(shape) * _BYTES_PER_VOXEL
    if not hasattr(os, "sysconf") or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        raise InputError(
            f"a volume of {' × '.join(map(str, shape))} voxels needs {needed / 2**30:.1f} GiB to be measured, "
            f"{free / 2**30:.1f} GiB are free; crop it, or bin it by 2 along each axis, which needs an eighth"
        )


def mesh(mask: NDArray[np.bool_], step: int = 1) -> tuple[Float32, NDArray[np.int32]]:
    """Draw the surface of a mask (z, y, x) by marching cubes.

    Parameters
    ----------
    mask
        What lies inside; surfaces are closed at the border of the volume.
    step
        Take every so many voxels, for a coarser mesh.

    Returns
    -------
    Corners (corner, 3) as z, y, x in px, and triangles (triangle, 3) of numbers of corners; both empty without surface.
    """
    from skimage.measure import marching_cubes

    border = 2 + step
    smooth = ndimage.gaussian_filter(np.pad(mask, border).astype(np.float32), _SMOOTHING)
    if smooth.max() <= 0.5:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    corners, triangles, _, _ = marching_cubes(smooth, 0.5, step_size=step)
    return (corners - border).astype(np.float32), triangles.astype(np.int32)


def surface_area(mask: NDArray[np.bool_]) -> float:
    """Give the area of a mask's surface in px², parts on the border of the volume included."""
    from skimage.measure import mesh_surface_area

    corners, triangles = mesh(mask)
    return float(mesh_surface_area(corners, triangles)) if len(triangles) else 0.0


def _particles(mask: NDArray[np.bool_], name: str, voxel: float, least: int) -> Iterator[Particle]:
    numbers, _ = ndimage.label(mask, structure=np.ones((3, 3, 3), dtype=bool))
    for number, box in enumerate(ndimage.find_objects(numbers), start=1):
        inside = numbers[box] == number
        size = int(inside.sum())
        if size >= least:
            cut = any(s.start == 0 or s.stop == side for s, side in zip(box, mask.shape, strict=True))
            yield _particle(inside, size, np.array([s.start for s in box]), name, number, voxel, cut)


def _particle(
    inside: NDArray[np.bool_], size: int, corner: NDArray[Any], name: str, number: int, voxel: float, cut: bool
) -> Particle:
    places = np.argwhere(inside).astype(np.float64)
    centre = places.mean(axis=0)
    # The moments of a voxel are those of a cube: 1/12 along every axis.
    moments = np.atleast_2d(np.cov(places.T, bias=True)) + np.eye(3) / 12.0 if size > 1 else np.eye(3) / 12.0
    # The variance along an axis of an ellipsoid is a fifth of its squared semi-axis.
    axes = 2.0 * np.sqrt(5.0 * np.linalg.eigvalsh(moments)[::-1].clip(0)) * voxel
    diameter = float(equivalent_diameter(np.array([size]), 3)[0]) * voxel
    surface = surface_area(inside) * voxel**2 if size >= 8 else None
    return Particle(
        phase=name,
        number=number,
        centre=tuple((centre + corner) * voxel),
        voxels=size,
        volume=size * voxel**3,
        equivalent_diameter=diameter,
        surface=surface,
        sphericity=math.pi * diameter**2 / surface if surface else None,
        axes=tuple(axes),
        elongation=float(axes[1] / axes[0]),
        flatness=float(axes[2] / axes[1]),
        cut=cut,
    )
