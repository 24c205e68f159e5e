"""A polycrystal cut open: grains and the boundaries between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.random import Generator
from pydantic import PositiveInt, model_validator

from beamforge.arrays import Float32, Float64
from beamforge.simulation.grains.appearance import Appearance
from beamforge.simulation.grains.edges import curved, distance_to, grain_numbers, near
from beamforge.simulation.grains.tessellation import Tessellation, merged, relaxed
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

GRAINS = "grains"
"""Name in `extras` of the number of each pixel's grain, int32 (y, x), from 0 on."""
BOUNDARY_DISTANCE = "boundary_distance"
"""Name in `extras` of each pixel's distance to the nearest boundary in px, float32 (y, x), at most `REACH`."""
REACH = 5.0
_BEYOND = 1.5
"""How many diameters beyond the image grains go on, so that those at its border are like the others."""

_LEAST_CELLS = 16


class VoronoiGrains(Scene, name="voronoi_grains"):
    """Grains of a random tessellation with curved boundaries: class 0 inside the grains, class 1 on boundaries.

    Seeds are drawn uniformly and moved to their cells' centroids a few times (Lloyd), with the weights of a Laguerre
    tessellation if grains differ in size; some neighbouring cells are joined, which gives grains that are not convex.
    Each edge becomes a cubic spline whose control points are displaced.

    Attributes
    ----------
    tile
        Side of the image in px.
    diameter
        Of the circle with a grain's mean area, in px.
    size_spread
        Standard deviation of the logarithm of the radii that the Laguerre weights are made of; 0 gives a Voronoi
        tessellation.
    relaxation
        How many times seeds are moved.
    joined
        Share of the cells that is joined to a neighbour.
    elongation
        Length of grains over their width; the direction is random for each image.
    waviness, smoothness
        How far and how smoothly edges bend; see `beamforge.simulation.grains.edges.curved`.
    thickness
        Width in px of what is labelled as boundary: how wide an annotator draws.

    Notes
    -----
    Source: Trampert et al. 2021 for Voronoi grains with displaced splines; Fan et al. 2004 for Laguerre grains.
    """

    tile: PositiveInt = 512
    diameter: LogInterval = LogInterval(low=25.0, high=90.0)
    size_spread: Interval = Interval(low=0.0, high=0.6)
    relaxation: IntegerInterval = IntegerInterval(low=0, high=3)
    joined: Interval = Interval(low=0.0, high=0.4)
    elongation: LogInterval = LogInterval(low=1.0, high=1.8)
    waviness: Interval = Interval(low=0.02, high=0.15)
    smoothness: Interval = Interval(low=0.7, high=2.0)
    thickness: Interval = Interval(low=4.0, high=4.0)

    @model_validator(mode="after")
    def _thickness_within_reach(self) -> Self:
        if not 0.0 < self.thickness.low <= self.thickness.high <= 2.0 * REACH:
            raise ValueError(f"boundaries are more than 0 and at most {2.0 * REACH:g} px wide")
        return self

    @classmethod
    def fit_to(cls, images: Sequence[Float32], rng: Generator, *, names: Sequence[str] = (), **settings: Any) -> Self:
        """Learn the diameter from images (channel, y, x) without annotation: half to twice the median one.

        Raises
        ------
        InputError
            See `Appearance.fit`.
        """
        diameter = Appearance.fit(images, rng, names=names).diameter
        return cls.model_validate({**settings, "diameter": (0.5 * diameter, 2.0 * diameter)})

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Tessellate, bend the edges, and number the grains."""
        shape = (self.tile, self.tile)
        stretch = _stretch(parameters["elongation"], rng.uniform(0.0, math.pi))
        tessellation = self._tessellation(parameters, stretch, rng)
        groups = merged(tessellation.cells, len(tessellation.seeds), parameters["joined"], rng)
        parting = groups[tessellation.cells[:, 0]] != groups[tessellation.cells[:, 1]]
        middle = self.tile / 2.0
        starts, ends = (points[parting] @ stretch.T + middle for points in (tessellation.starts, tessellation.ends))
        seen = near(starts, ends, self.tile)
        starts, ends = starts[seen], ends[seen]
        curves = curved(starts, ends, parameters["waviness"], parameters["smoothness"], rng)
        distance = distance_to(curves, shape, REACH)
        labels = (distance <= parameters["thickness"] / 2.0).astype(np.uint8)
        made = {GRAINS: grain_numbers(distance), BOUNDARY_DISTANCE: distance}
        return sample.replace(labels=labels, image=np.zeros((0, *shape), np.float32), extras={**sample.extras, **made})

    def _tessellation(self, parameters: Parameters, stretch: Float64, rng: Generator) -> Tessellation:
        """Tessellate around the origin, before grains are elongated; areas stay the same by that."""
        diameter = parameters["diameter"]
        joined_area = math.pi * diameter**2 / 4.0
        corners = self.tile / 2.0 * np.array([[1.0, 1.0], [1.0, -1.0]]) @ np.linalg.inv(stretch).T
        extent = np.abs(corners).max(axis=0) + _BEYOND * diameter
        count = max(_LEAST_CELLS, round(4.0 * extent.prod() / joined_area / (1.0 - parameters["joined"])))
        seeds = rng.uniform(-extent, extent, (count, 2))
        mean_radius = 0.5 * diameter * math.sqrt(1.0 - parameters["joined"])
        radii = mean_radius * np.exp(parameters["size_spread"] * rng.standard_normal(count))
        weights = np.minimum(radii, 3.0 * mean_radius) ** 2
        return relaxed(seeds, weights, int(parameters["relaxation"]))


def _stretch(elongation: float, angle: float) -> Float64:
    """Give the matrix that stretches along a direction and squeezes across it, so that areas stay."""
    along = np.array([math.sin(angle), math.cos(angle)])
    factor = math.sqrt(elongation)
    return np.asarray(np.eye(2) / factor + (factor - 1.0 / factor) * np.outer(along, along))
