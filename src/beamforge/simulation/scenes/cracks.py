"""Cracks as polylines with measured widths, lengths and turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import Field, PositiveInt, model_validator

from beamforge.simulation.cracks.measure import measure_images
from beamforge.simulation.cracks.polyline import Polyline, along, distance_and_opening, roughened, walk
from beamforge.simulation.interval import IntegerInterval, Interval, MeasuredInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

_THINNEST = 0.7
"""Least half width in px of an annotation: thinner ones would have holes."""
_REACH = 14.0
"""How far in px beside a crack its distance matters to later steps."""


class Cracks(Scene, name="cracks"):
    """Tiles without a crack (class 0 only) and with cracks (class 1).

    A crack is a polyline whose path is slightly rough. Its number of segments, their typical length, the typical angle
    between them, its direction and its opening are drawn from measured distributions; single segments, turns and
    openings scatter around them. It is narrower towards its ends. A random place along it lies in the tile.

    Behind it, the step leaves ``crack_distance`` and ``crack_opening`` in `extras`, float32 (y, x) in px: the distance
    from the nearest crack's axis, and its opening there.

    Source: Trampert et al. 2021 for polylines with distributions of segment length, angle and width.

    Attributes
    ----------
    tile
        Side of the tile in px.
    probability
        Probability that a tile has a crack.
    cracks
        How many cracks a tile has that has any.
    segments
        Number of segments; rounded.
    segment_length
        Typical length in px of a crack's segments.
    turning
        Root-mean-square angle in rad between neighbouring segments, beyond a steady bend.
    bend
        By how many rad the last segment is turned against the first; to which side is random.
    direction
        Direction in degrees of the whole crack against the vertical; which way it is tilted is random.
    opening
        Full width in px at half depth of its grey values.
    margin
        How many px beyond the opening a crack is annotated at each side.
    jaggedness
        Standard deviation in px of the path around its polyline.
    taper
        Part of the opening that is left at the ends.
    unevenness
        Standard deviation of the logarithm of opening and length along a crack.
    place_y, place_x
        Where in the tile, in sides, the first crack passes; further ones pass anywhere.
    """

    tile: PositiveInt = 128
    probability: float = Field(default=0.5, ge=0.0, le=1.0)
    cracks: IntegerInterval = IntegerInterval(low=1, high=2)
    segments: MeasuredInterval = MeasuredInterval.model_validate([1.0, 2.0, 3.0, 6.0, 14.0])
    segment_length: MeasuredInterval = MeasuredInterval.model_validate([6.0, 10.0, 15.0, 22.0, 60.0])
    turning: MeasuredInterval = MeasuredInterval.model_validate([0.05, 0.2, 0.35, 0.5, 0.9])
    bend: MeasuredInterval = MeasuredInterval.model_validate([0.0, 0.1, 0.2, 0.5, 1.2])
    direction: MeasuredInterval = MeasuredInterval.model_validate([0.0, 3.0, 8.0, 25.0, 70.0])
    opening: MeasuredInterval = MeasuredInterval.model_validate([1.5, 2.5, 3.0, 4.0, 7.0])
    margin: MeasuredInterval = MeasuredInterval.model_validate([-1.0, 0.3, 0.8, 1.2, 2.5])
    jaggedness: MeasuredInterval = MeasuredInterval.model_validate([0.1, 0.3, 0.4, 0.6, 1.0])
    taper: Interval = Interval(low=0.3, high=1.0)
    unevenness: Interval = Interval(low=0.1, high=0.4)
    place_y: Interval = Interval(low=0.05, high=0.95)
    place_x: Interval = Interval(low=0.05, high=0.95)

    @model_validator(mode="after")
    def _cracks_have_size(self) -> Self:
        if self.cracks.low < 1:
            raise ValueError(f"cracks counts those of tiles that have any, so from 1, got {self.cracks.low}")
        for name in ("segment_length", "opening"):
            if getattr(self, name).low <= 0.0:
                raise ValueError(f"{name} is above 0 px, got {getattr(self, name).low}")
        return self

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray | Sequence[xr.DataArray],
        labels: xr.DataArray | Sequence[xr.DataArray],
        *,
        tile: int = 128,
        probability: float = 0.5,
    ) -> Self:
        """Measure annotated cracks; class 1 is the crack.

        Parameters
        ----------
        stack
            One stack (1, y, x) or several.
        labels
            Their labels (y, x).
        tile, probability
            See the attributes.

        Raises
        ------
        InputError
            If there is no crack to measure.
        """
        measured = measure_images(stack, labels)
        # A tile meets long cracks more often than short ones.
        weights = np.array([crack.lengths.sum() for crack in measured])
        bends = np.array([crack.turns.sum() for crack in measured])
        steady = [bend / max(crack.turns.size, 1) for crack, bend in zip(measured, bends, strict=True)]
        turning = [
            float(np.sqrt(np.mean((crack.turns - mean) ** 2))) if crack.turns.size > 1 else 0.0
            for crack, mean in zip(measured, steady, strict=True)
        ]

        def quantiles(values: Sequence[float] | np.ndarray) -> MeasuredInterval:
            return MeasuredInterval.of(values, weights=weights)

        return cls(
            tile=tile,
            probability=probability,
            segments=quantiles([len(crack.lengths) for crack in measured]),
            segment_length=quantiles([float(np.median(crack.lengths)) for crack in measured]),
            turning=quantiles(turning),
            bend=quantiles(np.abs(bends)),
            direction=quantiles([abs(crack.direction) for crack in measured]),
            opening=quantiles([crack.opening for crack in measured]),
            margin=quantiles([crack.margin for crack in measured]),
            jaggedness=quantiles([crack.jaggedness for crack in measured]),
        )

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw what the parts of the tile's cracks share, and how each part scatters, in standard normals."""
        shared = super().draw(sample, rng)
        most, parts = self.cracks.high, max(1, round(self.segments.high))
        return {
            **shared,
            "present": bool(rng.random() < self.probability),
            "anchors": rng.random(most).round(4).tolist(),
            "tilts": rng.choice([-1.0, 1.0], (most, 2)).tolist(),
            "others": rng.uniform(0.05, 0.95, (most, 2)).round(4).tolist(),
            "turns": rng.standard_normal((most, parts)).round(3).tolist(),
            "lengths": rng.standard_normal((most, parts)).round(3).tolist(),
            "openings": rng.standard_normal((most, parts + 1)).round(3).tolist(),
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay the cracks and mark their pixels."""
        shape = (self.tile, self.tile)
        count = int(parameters["cracks"]) if parameters["present"] else 0
        cracks = [self._crack(parameters, number, rng) for number in range(count)]
        distance, opening = distance_and_opening(cracks, shape, _REACH)
        margin = max(parameters["margin"], _THINNEST - 0.5 * parameters["opening"])
        labels = (distance <= 0.5 * opening + margin).astype(np.uint8)
        extras = {**sample.extras, "crack_distance": distance, "crack_opening": opening}
        return sample.replace(labels=labels, extras=extras)

    def _crack(self, parameters: Parameters, number: int, rng: Generator) -> Polyline:
        count = max(1, round(parameters["segments"]))
        turns, lengths, openings = (
            np.asarray(parameters[name][number], np.float64) for name in ("turns", "lengths", "openings")
        )
        # Headings scatter around a course that bends steadily; then neighbouring ones differ by `turning`.
        tilt, side = parameters["tilts"][number]
        course = tilt * math.radians(parameters["direction"])
        steady = side * parameters["bend"] * (np.linspace(-0.5, 0.5, count) if count > 1 else np.zeros(1))
        headings = course + steady + parameters["turning"] / math.sqrt(2.0) * turns[:count]
        scatter = parameters["unevenness"]
        joints = walk(parameters["segment_length"] * np.exp(scatter * lengths[:count]), headings)
        place = parameters["others"][number] if number else (parameters["place_y"], parameters["place_x"])
        joints += np.asarray(place) * self.tile - along(joints, parameters["anchors"][number])
        middle = 1.0 - np.abs(np.linspace(-1.0, 1.0, count + 1)) ** 3
        width = parameters["opening"] * (parameters["taper"] + (1.0 - parameters["taper"]) * middle)
        crack = Polyline(joints, width * np.exp(scatter * openings[: count + 1]))
        return roughened(crack, parameters["jaggedness"], rng)
