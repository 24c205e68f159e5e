"""Growth of root axes: tropism, wandering, tapering, branching, walls.

Source: the axis-by-axis growth of Leitner et al. 2010 (Plant Soil 332, 177), with curvature instead of direction as
the random quantity, so that roots bend smoothly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float64
from beamforge.simulation.roots.system import RootSystem


@dataclass(frozen=True)
class Box:
    """Walls that roots grow along when they meet them: 0 <= x <= width, y >= 0, 0 <= z <= depth; in mm."""

    width: float
    depth: float


@dataclass(frozen=True)
class AxisGrowth:
    """How a root grows.

    Attributes
    ----------
    gravitropism
        Turn towards straight down in rad/mm when growing sideways.
    wander
        Standard deviation of the random curvature in rad/mm.
    wander_length
        Length in mm over which the curvature changes.
    taper
        Share of the radius that is lost from base to tip.
    step
        Length of a segment in mm.
    """

    gravitropism: float
    wander: float
    wander_length: float
    taper: float
    step: float = 1.0


@dataclass(frozen=True)
class Branching:
    """How laterals leave their parent.

    Attributes
    ----------
    density
        Laterals per mm.
    length
        Mean length in mm of the oldest ones; they get shorter towards the parent's tip.
    radius
        Mean radius at the base in mm.
    angle
        Mean angle to the parent in rad.
    apical_zone
        Length in mm behind the parent's tip that bears none.
    """

    density: float
    length: float
    radius: float
    angle: float
    apical_zone: float


@dataclass(frozen=True)
class Seedlings:
    """Roots that start to grow: places and unit directions (root, 3), lengths and radii in mm (root,)."""

    start: Float64
    direction: Float64
    length: Float64
    radius: Float64


def grow(roots: Seedlings, order: int, growth: AxisGrowth, box: Box, rng: Generator) -> RootSystem:
    """Grow all roots of an order at once."""
    steps = np.maximum(np.ceil(roots.length / growth.step).astype(np.int64), 1)
    count, most = len(steps), int(steps.max(initial=0))
    places = np.empty((most + 1, count, 3))
    places[0] = roots.start
    direction = roots.direction.copy()
    memory = math.exp(-growth.step / growth.wander_length)
    curvature = growth.wander * rng.standard_normal((count, 3))
    for step in range(most):
        direction[:, 1] += growth.gravitropism * growth.step
        direction += curvature * growth.step
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        places[step + 1] = places[step] + growth.step * direction
        _keep_inside(places[step + 1], direction, box)
        fresh = rng.standard_normal((count, 3))
        curvature = memory * curvature + growth.wander * math.sqrt(1.0 - memory**2) * fresh
    axis, number = np.nonzero(np.arange(most) < steps[:, None])
    along = np.stack([number, number + 1], axis=1) / steps[axis, None]
    radius = roots.radius[axis, None] * (1.0 - growth.taper * along)
    return RootSystem(places[number, axis], places[number + 1, axis], radius, np.full(len(axis), order), axis)


def branches(parents: RootSystem, branching: Branching, rng: Generator) -> Seedlings:
    """Let laterals leave roots of one order at random places: a Poisson process along each root."""
    lengths = parents.lengths
    total = np.bincount(parents.axis, lengths, parents.axes)
    base = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    first = np.concatenate([[True], np.diff(parents.axis) > 0]) if len(lengths) else np.zeros(0, bool)
    behind = base - np.repeat(base[first], np.bincount(parents.axis, minlength=parents.axes))
    bearing = behind < (total - branching.apical_zone)[parents.axis]
    segment = np.repeat(np.arange(len(lengths)), rng.poisson(branching.density * lengths * bearing))
    share = rng.random((len(segment), 1))
    start = parents.start[segment] * (1.0 - share) + parents.end[segment] * share
    youth = behind[segment] / np.maximum(total[parents.axis[segment]], 1e-9)
    length = branching.length * (1.0 - 0.7 * youth) * rng.gamma(4.0, 0.25, len(segment))
    parent_direction = (parents.end - parents.start)[segment] / np.maximum(lengths[segment, None], 1e-9)
    angle = branching.angle + math.radians(12.0) * rng.standard_normal(len(segment))
    direction = leaning(parent_direction, angle, rng)
    thinner = np.minimum(branching.radius * rng.lognormal(0.0, 0.15, len(segment)), 0.8 * parents.radius[segment, 0])
    return Seedlings(start, direction, length, thinner)


def leaning(directions: Float64, angle: Float64, rng: Generator) -> Float64:
    """Turn unit vectors (n, 3) by angles (n,) in rad, to a random side."""
    other = np.cross(directions, rng.standard_normal(directions.shape))
    other /= np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-12)
    return np.cos(angle)[:, None] * directions + np.sin(angle)[:, None] * other


def _keep_inside(places: Float64, direction: Float64, box: Box) -> None:
    """Push roots back to the wall they crossed and let them grow along it."""
    for coordinate, far in ((0, box.width), (1, math.inf), (2, box.depth)):
        crossed = (places[:, coordinate] < 0.0) | (places[:, coordinate] > far)
        direction[crossed, coordinate] = 0.0
        np.clip(places[:, coordinate], 0.0, far, out=places[:, coordinate])
    # A root that ran straight into a corner has no direction left: it goes on downwards.
    lost = ~direction.any(axis=1)
    direction[lost, 1] = 1.0
