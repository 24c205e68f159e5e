"""A given root system in three dimensions, turned and seen along the beam."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from scipy.ndimage import distance_transform_edt

from beamforge.arrays import Float32Field, Float64
from beamforge.errors import InputError
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.roots.projection import View, distance_outside, tissue_path
from beamforge.simulation.roots.system import RootSystem
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenes.roots import LATERAL, MAIN
from beamforge.simulation.step import Scene


class RootSkeleton(Scene, name="root_skeleton"):
    """Turns a measured skeleton about the vertical and looks at a part of it.

    Labels and `extras` are those of the scene `roots`: roots at least as thick as `main_radius` are main roots. The
    box is as deep as the turned system and filled with soil up to its sides.

    Attributes
    ----------
    places
        Points of the skeleton (point, 3): x, y (downwards), z in mm.
    radii
        Radius of the root at each point in mm (point,).
    tile
        Side of the image in px.
    pixel_size
        Side of a pixel in mm.
    turn
        About the vertical in degrees.
    scale
        Factor of all lengths.
    main_radius
        Least radius in mm of main roots, before scaling.
    annotation
        How many px beyond its surface a person paints a root.
    """

    places: Float32Field
    radii: Float32Field
    tile: PositiveInt = 256  # px
    pixel_size: LogInterval = LogInterval(low=0.12, high=0.28)
    turn: Interval = Interval(low=0.0, high=360.0)
    scale: LogInterval = LogInterval(low=0.8, high=1.25)
    main_radius: PositiveFloat = 0.3
    annotation: float = Field(default=1.5, ge=0.0)  # px

    @model_validator(mode="after")
    def _arrays_fit(self) -> Self:
        if self.places.ndim != 2 or self.places.shape[1] != 3 or self.radii.shape != self.places.shape[:1]:
            raise ValueError(
                f"places have shape {self.places.shape} and radii {self.radii.shape}, expected (point, 3) and (point,)"
            )
        if not len(self.radii):
            raise ValueError("the skeleton has no point")
        return self

    @classmethod
    def from_volume(
        cls, roots: NDArray[np.generic], skeleton: NDArray[np.generic], voxel_size: float, **settings: object
    ) -> Self:
        """Read points and radii off a segmented volume.

        Parameters
        ----------
        roots, skeleton
            Masks (y, x, z), y downwards; the skeleton lies within the roots.
        voxel_size
            Side of a voxel in mm.
        **settings
            Other settings of the step.

        Raises
        ------
        InputError
            If the masks differ in shape or the skeleton is empty.
        """
        if roots.shape != skeleton.shape or roots.ndim != 3:
            raise InputError(f"the roots have shape {roots.shape}, their skeleton {skeleton.shape}; expected (y, x, z)")
        points = np.argwhere(skeleton)
        if not len(points):
            raise InputError("the skeleton has no voxel")
        # A voxel on the surface is 1 from the nearest outside voxel's centre, half of which is root.
        radius = (distance_transform_edt(roots)[tuple(points.T)] - 0.5).clip(0.5) * voxel_size
        places = points[:, [1, 0, 2]] * voxel_size
        return cls(places=places, radii=radius, **settings)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the intervals and the point to look at."""
        drawn = super().draw(sample, rng)
        return {**drawn, "looks_at": float(rng.random()), "offset": rng.uniform(-0.45, 0.45, 2).tolist()}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Turn and project."""
        roots = self._turned(parameters)
        size = parameters["pixel_size"]
        extent = self.tile * size
        looked_at = roots.start[int(parameters["looks_at"] * len(roots.start)), :2]
        corner = looked_at - (0.5 + np.asarray(parameters["offset"])) * extent
        view = View(float(corner[0]), float(corner[1]), size, (self.tile, self.tile))
        labels = np.zeros(view.shape, np.uint8)
        main = roots.order == 0
        for number, chosen in ((LATERAL, ~main), (MAIN, main)):
            labels[distance_outside(roots.part(chosen), view, self.annotation + 1.0) <= self.annotation] = number
        path = tissue_path(roots, view)
        depth = np.full(view.shape, np.ptp(roots.start[:, 2]) + 2.0 * roots.radius.max(), np.float32)
        extras = {
            "root_path": path,
            "soil_path": np.maximum(depth - path, 0.0),
            "box_depth": depth,
            "beside": np.zeros(view.shape, np.float32),
            "below": np.broadcast_to((view.y - roots.start[:, 1].min()).astype(np.float32)[:, None], view.shape).copy(),
        }
        return sample.replace(labels=labels, extras={**sample.extras, **extras})

    def _turned(self, parameters: Parameters) -> RootSystem:
        angle = math.radians(parameters["turn"])
        turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
        places: Float64 = parameters["scale"] * self.places.astype(np.float64) @ turn.T
        radius = np.repeat(parameters["scale"] * self.radii.astype(np.float64)[:, None], 2, axis=1)
        order = np.where(self.radii >= self.main_radius, 0, 1).astype(np.int64)
        # Every point is a ball of one and the same root: neighbours overlap, and only the thickest counts.
        return RootSystem(places, places, radius, order, np.zeros(len(places), np.int64))
