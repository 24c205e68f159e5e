"""A pillar milled out of an aluminium alloy with precipitates and inclusions, in three dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import PositiveInt

from beamforge.simulation.interval import Interval
from beamforge.simulation.micropillar.bodies import FIELDS, Bodies
from beamforge.simulation.micropillar.growth import (
    AIR,
    MATRIX,
    needles,
    plates,
    random_rotation,
    rimmed,
    stringers,
)
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

_REFERENCE = 1e6
"""Volume in px, at a scale of 1, that the densities of particles refer to."""


class Micropillar(Scene, name="micropillar"):
    """A tapered pillar along z with plates and needles, stringers of inclusions, and composite particles.

    Labels are those of the slice in the middle: 0 background (matrix and air), 1 precipitate, 2 inclusion. The volume
    of phases (0 air, 1 matrix, 2 precipitate, 3 inclusion) is handed on as ``extras["phases"]``, for an intensity to
    see through. The same parameters make the same volume, slab by slab or as a whole.

    After the alloy of Torbati-Sarraf et al. 2021: Cu-Mg-Zn precipitates, Al-Cu-Fe inclusions, particles of both.

    Attributes
    ----------
    tile
        Side of the slices in px.
    depth
        Slices of the volume.
    radius
        Of the pillar, as share of the tile.
    taper
        Relative change of the radius over a height of one tile.
    roughness
        Amplitude of the surface's waves in px.
    scale
        Factor of all lengths of particles.
    plates, needles, stringers, composites
        How many there are in 10⁶ px of volume, at a scale of 1.
    """

    tile: PositiveInt = 192  # px
    depth: PositiveInt = 17  # px
    radius: Interval = Interval(low=0.36, high=0.46)
    taper: Interval = Interval(low=-0.05, high=0.05)
    roughness: Interval = Interval(low=0.3, high=2.0)
    scale: Interval = Interval(low=0.8, high=1.4)
    plates: Interval = Interval(low=40.0, high=120.0)
    needles: Interval = Interval(low=30.0, high=100.0)
    stringers: Interval = Interval(low=6.0, high=14.0)
    composites: Interval = Interval(low=8.0, high=20.0)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the pillar and all its particles."""
        drawn: dict[str, Any] = super().draw(sample, rng)
        grain = random_rotation(rng)
        tilt = rng.normal(0, 0.15, 3) + np.array([0.0, 1.0, 0.0])
        box = np.array([self.depth, self.tile, self.tile], dtype=np.float64)
        scale = drawn["scale"]
        # Particles whose centre lies above or below reach into the volume too.
        margin = 40.0 * scale
        reached = box + np.array([2 * margin, 0.0, 0.0])
        share = np.prod(reached) / (_REFERENCE * scale**3)
        counts = {
            name: int(rng.poisson(drawn[name] * share)) for name in ("plates", "needles", "stringers", "composites")
        }
        bodies = Bodies.join([
            plates(counts["plates"], reached, grain, scale, rng),
            needles(counts["needles"], reached, grain, scale, rng),
            stringers(counts["stringers"], reached, tilt / np.linalg.norm(tilt), scale, rng),
            rimmed(counts["composites"], reached, scale, rng),
        ])  # fmt: skip
        bodies = Bodies(bodies.centres - np.array([margin, 0.0, 0.0]), *(getattr(bodies, n) for n in FIELDS[1:]))
        waves = {"waves": rng.normal(size=(6, 2)), "orders": rng.integers(2, 14, 6), "pitch": rng.normal(0, 0.03, 6)}
        return {**drawn, **waves, **{name: getattr(bodies, name) for name in FIELDS}}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Fill the volume and take the labels of its middle slice."""
        phases = self.phases(parameters, 0, self.depth)
        return sample.replace(labels=labels_of(phases[self.depth // 2]), extras={**sample.extras, "phases": phases})

    def phases(self, parameters: Parameters, bottom: int, top: int) -> NDArray[np.uint8]:
        """Make the slices from `bottom` up to `top`, without it: uint8 (z, y, x).

        Slices beyond the volume are made as well, as the pillar goes on.
        """
        phases = np.empty((top - bottom, self.tile, self.tile), dtype=np.uint8)
        y, x = np.mgrid[: self.tile, : self.tile] - (self.tile - 1) / 2
        distance, angle = np.hypot(y, x), np.arctan2(y, x)
        for number, z in enumerate(range(bottom, top)):
            phases[number] = np.where(distance <= self._surface(parameters, z, angle), MATRIX, AIR)
        arrays = [np.asarray(parameters[name]) for name in FIELDS]
        Bodies(*arrays).fill(phases, bottom)
        return phases

    def _surface(self, parameters: Parameters, z: int, angle: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the radius of the pillar in px at a height for each angle."""
        radius = self.tile * parameters["radius"] * (1.0 + parameters["taper"] * (z - self.depth / 2) / self.tile)
        waves = np.zeros_like(angle)
        for (sine, cosine), order, pitch in zip(
            parameters["waves"], parameters["orders"], parameters["pitch"], strict=True
        ):
            at = order * angle + pitch * z
            waves += sine * np.sin(at) + cosine * np.cos(at)
        # Never beyond the circle that all projections see.
        limit = self.tile / 2 - 2.0
        return np.asarray(np.minimum(radius + parameters["roughness"] * waves / math.sqrt(6.0), limit))


def labels_of(phases: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn phases into labels: air and matrix are background."""
    return np.where(phases > MATRIX, phases - MATRIX, 0).astype(np.uint8)
