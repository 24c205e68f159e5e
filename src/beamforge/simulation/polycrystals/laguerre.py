"""Polycrystals as Laguerre tessellations whose grains have wanted sizes.

Voxels belong to the grain of the smallest power distance |x - seed|² - weight. Weights are raised and lowered until
every grain has its volume (semi-discrete optimal transport; Bourne et al., Philos. Mag. 100 (2020), 2677), while the
first rounds move the seeds to their grains' centres, which makes grains as equiaxed as recrystallised ones.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from scipy.spatial import cKDTree
from scipy.stats import norm

from beamforge.arrays import Float64, Integers
from beamforge.errors import one_of
from beamforge.physics.orientations import TextureComponent, textured_orientations
from beamforge.simulation.polycrystals.body import Body, Cylinder
from beamforge.simulation.polycrystals.volume import GrainVolume

_ROUNDS, _MOVING, _STEP = 40, 15, 0.3
_POINTS = 120
"""Points per grain of the grid on which volumes are weighed."""


class Polycrystal(BaseModel):
    """How a polycrystal is drawn.

    Attributes
    ----------
    body
        Outer shape, centred on the rotation axis.
    grains
        How many.
    spread
        Standard deviation of the logarithm of the grains' diameters; 0 makes all alike.
    texture
        Preferred orientations; grains that no component claims are uniform on SO(3).
    voxels
        Voxels along the diameter of a grain of mean volume.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: Body = Field(default=Cylinder(diameter=200.0, height=300.0), discriminator="shape")
    grains: PositiveInt = 337
    spread: NonNegativeFloat = 0.27
    texture: tuple[TextureComponent, ...] = ()
    voxels: PositiveFloat = 24.0

    @model_validator(mode="after")
    def _shares(self) -> Self:
        claimed = sum(component.share for component in self.texture)
        if claimed > 1.0 + 1e-9:
            raise ValueError(f"the texture components claim {claimed:g} of the grains, expected 1 or less")
        return self

    @classmethod
    def named(cls, name: str) -> Self:
        """Give a preset, ``D18``, ``D35`` or ``D64``: the samples of Fang et al., IUCrJ 8 (2021), 719.

        Raises
        ------
        InputError
            Naming the nearest there is.
        """
        if name not in _PRESETS:
            raise one_of("polycrystal", name, _PRESETS)
        diameter, height, grains, mean = _PRESETS[name]
        body = Cylinder(diameter=diameter, height=height)
        return cls(body=body, grains=grains, spread=spread_of(body, grains, mean))

    @property
    def voxel_size(self) -> float:
        """Edge of a voxel in mm."""
        return float(np.cbrt(6.0 / np.pi * self.body.volume / self.grains) / self.voxels)

    def draw_seeds(self, rng: Generator) -> tuple[Float64, Float64]:
        """Draw places (grain, 3) in mm inside the body and the volumes (grain,) in mm³ that fill it."""
        extent = np.asarray(self.body.extent)
        places = np.zeros((0, 3))
        while len(places) < self.grains:
            drawn = (rng.random((2 * self.grains, 3)) - 0.5) * extent
            places = np.concatenate([places, drawn[self.body.holds(drawn)]])
        # Quantiles in random order: the mean diameter does not depend on the luck of a few large grains.
        quantiles = norm.ppf((rng.permutation(self.grains) + 0.5) / self.grains)
        sizes = np.exp(3.0 * self.spread * quantiles)
        return places[: self.grains], sizes / sizes.sum() * self.body.volume

    def draw_orientations(self, rng: Generator) -> Float64:
        """Draw orientations (grain, 3, 3)."""
        return textured_orientations(self.grains, self.texture, rng)

    def build(self, places: Float64, volumes: Float64, orientations: Float64) -> GrainVolume:
        """Fill the body with grains of the volumes, started at the places."""
        seeds, weights = fitted_tessellation(self.body, places, volumes)
        return GrainVolume(labels=self._voxels(seeds, weights), orientations=orientations, voxel_size=self.voxel_size)

    def draw(self, rng: Generator) -> GrainVolume:
        """Draw a polycrystal."""
        places, volumes = self.draw_seeds(rng)
        return self.build(places, volumes, self.draw_orientations(rng))

    def _voxels(self, seeds: Float64, weights: Float64) -> Integers:
        axes = grid_axes(self.body, self.voxel_size)
        tree = _power_tree(seeds, weights)
        labels = np.zeros([len(axis) for axis in axes[::-1]], dtype=np.int32)
        for layer, z in enumerate(axes[2]):
            y, x = np.meshgrid(axes[1], axes[0], indexing="ij")
            points = np.stack([x, y, np.full_like(x, z)], axis=-1)
            inside = self.body.holds(points)
            labels[layer][inside] = _nearest(tree, points[inside]) + 1
        return labels


def spread_of(body: Body, grains: int, mean: float) -> float:
    """Give the log-normal spread of diameters for which grains that fill a body have a mean diameter in µm.

    The mean volume is given by the body and the number of grains; the cube root of the mean cube of a log-normal
    diameter exceeds its mean by exp(spread²).
    """
    ratio = np.cbrt(6.0 / np.pi * body.volume / grains) * 1e3 / mean
    return float(np.sqrt(np.log(max(ratio, 1.0))))


def fitted_tessellation(body: Body, places: Float64, volumes: Float64) -> tuple[Float64, Float64]:
    """Give seeds (grain, 3) in mm and weights (grain,) in mm² of a tessellation whose grains have the volumes.

    Parameters
    ----------
    body
        What the grains fill.
    places
        Where the grains start, (grain, 3) in mm.
    volumes
        Wanted volumes (grain,) in mm³.
    """
    step = float(np.cbrt(body.volume / (_POINTS * len(places))))
    axes = grid_axes(body, step)
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[body.holds(points)]
    wanted = volumes / volumes.sum() * len(points)
    seeds, weights = places.copy(), np.cbrt(3.0 / (4.0 * np.pi) * volumes) ** 2
    for turn in range(_ROUNDS):
        owner = _nearest(_power_tree(seeds, weights), points)
        filled = np.bincount(owner, minlength=len(seeds))
        if turn < _MOVING:
            centres = np.stack([np.bincount(owner, points[:, axis], len(seeds)) for axis in range(3)], axis=1)
            seeds = np.where(filled[:, None] > 0, centres / np.maximum(filled, 1)[:, None], seeds)
        # Faces, ~ 5 V^(2/3) in all, move by half the change of weight over the distance to the neighbouring seeds.
        distance = 0.6 * (np.cbrt(volumes) + np.cbrt(volumes.mean()))
        weights = weights + _STEP * (wanted - filled) * step**3 * distance / np.cbrt(volumes) ** 2
    return seeds, weights


def grid_axes(body: Body, step: float) -> list[Float64]:
    """Give the coordinates along x, y and z of cells of a size that cover a body."""
    counts = [max(int(np.ceil(length / step - 1e-9)), 1) for length in body.extent]
    return [np.asarray((np.arange(count) - 0.5 * (count - 1)) * step, np.float64) for count in counts]


def _power_tree(seeds: Float64, weights: Float64) -> cKDTree:
    # |x - s|² - w is, up to a constant, the squared distance from (x, 0) to (s, sqrt(w_max - w)).
    return cKDTree(np.concatenate([seeds, np.sqrt(weights.max() - weights)[:, None]], axis=1))


def _nearest(tree: cKDTree, points: Float64) -> Integers:
    lifted = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
    return np.asarray(tree.query(lifted)[1])


# Diameter and height in µm, grains, mean grain diameter in µm.
_PRESETS = {"D18": (100.0, 150.0, 230, 18.0), "D35": (200.0, 300.0, 337, 35.0), "D64": (400.0, 600.0, 485, 64.0)}
POLYCRYSTALS = tuple(_PRESETS)
"""Names of the preset polycrystals."""
