"""A root system in a rhizobox, seen along the beam."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, PositiveInt, model_validator

from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.roots.growth import AxisGrowth, Box, Branching, Seedlings, branches, grow
from beamforge.simulation.roots.projection import View, distance_outside, tissue_path
from beamforge.simulation.roots.system import RootSystem
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

MAIN, LATERAL = 1, 2


class Roots(Scene, name="roots"):
    """Grows main roots, laterals and laterals of these, and looks at a part of the box.

    Labels are 0 for background, 1 for main roots with the shoot, and 2 for laterals; where they cross, the main root is
    seen. For the steps that fill in intensities, `extras` hold (y, x) in mm: ``root_path``, the length of root tissue
    along the beam; ``soil_path``, that of soil around it (0 in the air); ``box_depth``, the depth of the box where it
    stands; ``beside``, the distance outside the side walls; ``below``, the distance below the surface.

    All lengths are in mm unless said otherwise.

    Attributes
    ----------
    tile
        Side of the image in px.
    pixel_size
        Side of a pixel.
    width, height, depth
        Of the box; depth is along the beam.
    axes
        Number of main roots.
    main_length, main_radius
        Of main roots; the length is that of the longest, others are down to a third shorter.
    shoot_radius
        Of the stem above the soil.
    spread
        Largest angle in degrees between a main root's first direction and straight down.
    gravitropism
        Turn of main roots towards straight down in rad/mm; laterals turn by a third of it.
    wander, wander_length
        Standard deviation in rad/mm of the random curvature, and how far it lasts. Laterals wander twice as much.
    taper
        Share of its radius that a root loses up to its tip.
    lateral_density
        First-order laterals per mm of main root.
    lateral_length, lateral_radius
        Of first-order laterals.
    lateral_angle
        Between a lateral and its parent in degrees.
    second_order
        Density, length and radius of second-order laterals relative to those of the first order.
    annotation
        How many px beyond its surface a person paints a root.
    anywhere
        Share of images that look anywhere; the others look at a main root.
    """

    tile: PositiveInt = 256  # px
    pixel_size: LogInterval = LogInterval(low=0.12, high=0.28)
    width: Interval = Interval(low=100.0, high=180.0)
    height: Interval = Interval(low=220.0, high=320.0)
    depth: Interval = Interval(low=6.0, high=10.0)
    axes: IntegerInterval = IntegerInterval(low=2, high=8)
    main_length: Interval = Interval(low=120.0, high=280.0)
    main_radius: LogInterval = LogInterval(low=0.22, high=0.7)
    shoot_radius: Interval = Interval(low=0.8, high=2.0)
    spread: Interval = Interval(low=15.0, high=80.0)
    gravitropism: LogInterval = LogInterval(low=0.004, high=0.04)
    wander: LogInterval = LogInterval(low=0.006, high=0.05)
    wander_length: LogInterval = LogInterval(low=4.0, high=40.0)
    taper: Interval = Interval(low=0.1, high=0.7)
    lateral_density: LogInterval = LogInterval(low=0.02, high=0.3)
    lateral_length: LogInterval = LogInterval(low=5.0, high=60.0)
    lateral_radius: LogInterval = LogInterval(low=0.05, high=0.2)
    lateral_angle: Interval = Interval(low=50.0, high=90.0)
    second_order: Interval = Interval(low=0.0, high=0.5)
    annotation: float = Field(default=1.5, ge=0.0)  # px
    anywhere: float = Field(default=0.3, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        for name in ("width", "height", "depth", "main_length", "shoot_radius"):
            if getattr(self, name).low <= 0.0:
                raise ValueError(f"{name} starts at {getattr(self, name).low:g} mm, expected above 0")
        if self.axes.low < 1:
            raise ValueError(f"axes starts at {self.axes.low:g}; a system has at least 1 main root")
        if self.taper.high >= 1.0 or self.taper.low < 0.0:
            raise ValueError("taper is a share from 0 up to, not including, 1")
        return self

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the intervals and where to look."""
        drawn = super().draw(sample, rng)
        if rng.random() < self.anywhere:
            return {**drawn, "looks_at": None, "offset": rng.uniform(0.0, 1.0, 2).tolist()}
        return {**drawn, "looks_at": float(rng.random()), "offset": rng.uniform(-0.45, 0.45, 2).tolist()}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Grow the system and project the part in view."""
        roots = grow_system(parameters, rng)
        view = self._view(roots, parameters)
        labels = np.zeros(view.shape, np.uint8)
        main = roots.order == 0
        for number, chosen in ((LATERAL, ~main), (MAIN, main)):
            labels[distance_outside(roots.part(chosen), view, self.annotation + 1.0) <= self.annotation] = number
        return sample.replace(labels=labels, extras={**sample.extras, **_materials(roots, view, parameters, rng)})

    def _view(self, roots: RootSystem, parameters: Parameters) -> View:
        size, offset = parameters["pixel_size"], np.asarray(parameters["offset"])
        extent = self.tile * size
        if parameters["looks_at"] is None:
            box = np.array([parameters["width"], parameters["height"]])
            corner = -0.5 * extent + offset * box
        else:
            main = np.flatnonzero(roots.order == 0)
            place = roots.start[main[int(parameters["looks_at"] * len(main))], :2]
            corner = place - (0.5 + offset) * extent
        return View(float(corner[0]), float(corner[1]), size, (self.tile, self.tile))


def grow_system(parameters: Parameters, rng: Generator) -> RootSystem:
    """Grow a whole system: main roots, shoot, and laterals of two orders.

    Parameters
    ----------
    parameters
        Those of the step `Roots`, by name.
    rng
        Random stream.
    """
    box = Box(parameters["width"], parameters["depth"])
    seed = np.array([box.width * rng.uniform(0.3, 0.7), rng.uniform(2.0, 12.0), 0.5 * box.depth])
    growth = AxisGrowth(
        parameters["gravitropism"], parameters["wander"], parameters["wander_length"], parameters["taper"]
    )
    main = grow(_main_roots(parameters, seed, rng), 0, growth, box, rng)
    lateral_growth = AxisGrowth(
        growth.gravitropism / 3.0, 2.0 * growth.wander, 0.5 * growth.wander_length, growth.taper
    )
    first = Branching(
        parameters["lateral_density"],
        parameters["lateral_length"],
        parameters["lateral_radius"],
        math.radians(parameters["lateral_angle"]),
        apical_zone=0.15 * parameters["main_length"],
    )
    share = parameters["second_order"]
    second = Branching(
        first.density * share,
        first.length * share,
        first.radius * max(share, 0.5),
        first.angle,
        apical_zone=0.3 * first.length,
    )
    parts = [_shoot(parameters["shoot_radius"], seed, rng), main]
    parents = main
    for order, branching in ((1, first), (2, second)):
        if not len(parents.axis):
            break
        parents = grow(branches(parents, branching, rng), order, lateral_growth, box, rng)
        parts.append(parents)
    return RootSystem.joined(parts)


def _main_roots(parameters: Parameters, seed: np.ndarray, rng: Generator) -> Seedlings:
    count = int(parameters["axes"])
    angle = np.radians(parameters["spread"]) * rng.uniform(-1.0, 1.0, count)
    tilt = rng.normal(0.0, 0.15, count)
    direction = np.stack([np.sin(angle), np.cos(angle), tilt], axis=1)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    # The first root is the longest and the thickest, as a tap root is.
    share = np.concatenate([[1.0], rng.uniform(0.67, 1.0, count - 1)])
    start = seed + rng.normal(0.0, [1.5, 1.0, 0.5], (count, 3)).clip(-3.0, 3.0)
    start[:, 1:] = start[:, 1:].clip(0.0, [np.inf, parameters["depth"]])
    return Seedlings(start, direction, parameters["main_length"] * share, parameters["main_radius"] * share)


def _shoot(radius: float, seed: np.ndarray, rng: Generator) -> RootSystem:
    """A stem from the seed up, and the seed itself at its foot."""
    top = seed + np.array([rng.normal(0.0, 6.0), -80.0, 0.0])
    foot = seed + np.array([0.0, 2.5 * radius, 0.0])
    start, end = np.stack([top, seed]), np.stack([seed, foot])
    thick = radius * np.array([[0.9, 1.0], [1.4, 0.8]])
    return RootSystem(start, end, thick, np.zeros(2, np.int64), np.zeros(2, np.int64))


def _materials(roots: RootSystem, view: View, parameters: Parameters, rng: Generator) -> dict[str, np.ndarray]:
    path = tissue_path(roots, view)
    beside = np.maximum(-view.x, view.x - parameters["width"]).clip(0.0)
    roughness = smooth_field(1, (1, view.shape[1]), 4.0 / view.pixel_size, rng)[0]
    below = (view.y[:, None] + rng.uniform(0.2, 1.5) * roughness).astype(np.float32)
    in_box = (beside[None, :] == 0.0) & (view.y[:, None] < parameters["height"])
    depth = np.where(in_box, parameters["depth"], 0.0).astype(np.float32)
    soil = np.where(below > 0.0, np.maximum(depth - path, 0.0), 0.0).astype(np.float32)
    return {
        "root_path": path,
        "soil_path": soil,
        "box_depth": depth,
        "beside": np.broadcast_to(beside.astype(np.float32), view.shape).copy(),
        "below": below,
    }
