"""Cracks that open where soil dries."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from pydantic import NonNegativeFloat

from beamforge.arrays import Float32
from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.roots.growth import AxisGrowth, Box, Branching, Seedlings, branches, grow
from beamforge.simulation.roots.projection import View, distance_outside
from beamforge.simulation.roots.system import RootSystem
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

_FAR = 1e5
"""Where the tile lies in the plane cracks grow in, in px: far from that plane's own border."""


class SoilCracks(Scene, name="soil_cracks"):
    """Takes soil away along jagged, branching lines; roots in them stay.

    It works on ``soil_path`` in `extras` (see `beamforge.simulation.scenes.roots.Roots`) and leaves the labels as they
    are. Cracks grow like roots do, without weight and with sharper turns.

    Attributes
    ----------
    cracks
        How many start in or near the tile.
    length
        In px.
    opening
        Half the width of a crack in px; along a crack it varies by a factor of about `unevenness`.
    unevenness
        Standard deviation of the logarithm of the opening along a crack.
    jaggedness
        Standard deviation in px of the roughness of its sides.
    wander
        Standard deviation of its random curvature in rad/px.
    side_cracks
        Branches per px.
    through
        Share of the soil's depth that a crack goes through.
    """

    cracks: IntegerInterval = IntegerInterval(low=0, high=4)
    length: LogInterval = LogInterval(low=60.0, high=600.0)
    opening: LogInterval = LogInterval(low=0.3, high=5.0)
    unevenness: Interval = Interval(low=0.1, high=0.5)
    jaggedness: Interval = Interval(low=0.1, high=0.8)
    wander: LogInterval = LogInterval(low=0.01, high=0.07)
    side_cracks: LogInterval = LogInterval(low=0.002, high=0.05)
    through: Interval = Interval(low=0.15, high=1.0)
    preference: NonNegativeFloat = 2.0
    """How much more often cracks start across than along gravity; 1 prefers neither."""

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Open the cracks."""
        count = int(parameters["cracks"])
        if count == 0:
            return sample
        shape = (sample.labels.shape[0], sample.labels.shape[1])
        cracks = _grow_cracks(parameters, count, shape, self.preference, rng)
        view = View(_FAR, _FAR, 1.0, shape)
        distance = distance_outside(cracks, view, 6.0)
        rough = smooth_field(1, shape, 1.5, rng)[0]
        distance = distance + np.float32(parameters["jaggedness"]) * rough
        opened: Float32 = np.clip(0.5 - distance, 0.0, 1.0) * np.float32(parameters["through"])
        soil = sample.extras["soil_path"] * (1.0 - opened)
        return sample.replace(extras={**sample.extras, "soil_path": soil.astype(np.float32)})


def _grow_cracks(
    parameters: Parameters, count: int, shape: tuple[int, int], preference: float, rng: Generator
) -> RootSystem:
    height, width = shape
    start = np.stack(
        [rng.uniform(-0.2, 1.2, count) * width, rng.uniform(0.0, 1.0, count) * height, np.zeros(count)], axis=1
    )
    across, down = preference * rng.standard_normal(count), rng.standard_normal(count)
    size = np.hypot(across, down)
    direction = np.stack([across / size, down / size, np.zeros(count)], axis=1)
    lengths = parameters["length"] * rng.uniform(0.4, 1.0, count)
    openings = parameters["opening"] * rng.lognormal(0.0, 0.4, count)
    growth = AxisGrowth(0.0, parameters["wander"], wander_length=6.0, taper=0.7, step=2.0)
    plane = Box(width=math.inf, depth=0.0)
    main = grow(Seedlings(start + np.array([_FAR, _FAR, 0.0]), direction, lengths, openings), 0, growth, plane, rng)
    branching = Branching(
        parameters["side_cracks"], 0.4 * parameters["length"], 0.5 * parameters["opening"], math.radians(50.0), 0.0
    )
    sides = grow(branches(main, branching, rng), 1, growth, plane, rng)
    cracks = RootSystem.joined([main, sides])
    uneven = np.exp(parameters["unevenness"] * _smooth(len(cracks.axis), rng))
    return RootSystem(cracks.start, cracks.end, cracks.radius * uneven[:, None], cracks.order, cracks.axis)


def _smooth(count: int, rng: Generator) -> np.ndarray:
    """Draw standard normal numbers in a row of which neighbours resemble each other."""
    weights = np.hanning(9)
    return np.convolve(rng.standard_normal(count + 8), weights / np.sqrt((weights**2).sum()), mode="valid")
