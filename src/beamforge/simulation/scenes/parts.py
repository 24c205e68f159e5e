"""Machined parts of known materials in a beam: plates, rods, balls, tubes, discs."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from beamforge.arrays import Float32
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

Shape = Literal["plate", "rod", "ball", "tube", "disc"]
THICKNESS = "thickness"
"""Name of the extra array that holds the thickness of each material along the beam in cm."""

_TRIES = 20
_MM_PER_CM = 10.0


class Parts(Scene, name="parts"):
    """Lays parts that do not overlap; the label of a pixel is the material of the part in it, 0 is air.

    Rods and tubes lie across the beam, discs along it. The extra array ``thickness`` (material, fine y, fine x) in cm
    is drawn `fine` times finer than the pixels, so that edges that fill pixels in part can be averaged as intensities.

    Attributes
    ----------
    tile
        Side of the image in px.
    pixel_size
        Side of a pixel in mm.
    materials
        How many there are; each part is of one, all equally likely.
    count
        Parts in an image, fewer where there is no room.
    size
        Largest extent of a part across the beam in mm.
    slimness
        Width over length of rods, tubes and plates.
    thickness
        Of plates and discs along the beam in mm.
    wall
        Of tubes, relative to their radius.
    fine
        Fine pixels on each side of a pixel.
    """

    tile: PositiveInt = 160
    pixel_size: LogInterval = LogInterval(low=0.05, high=0.15)
    materials: PositiveInt = 4
    count: IntegerInterval = IntegerInterval(low=3, high=9)
    size: LogInterval = LogInterval(low=2.0, high=12.0)
    slimness: Interval = Interval(low=0.15, high=0.8)
    thickness: LogInterval = LogInterval(low=0.5, high=8.0)
    wall: Interval = Interval(low=0.15, high=0.6)
    fine: int = Field(default=2, ge=1, le=8)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the pixel size and every part that is tried."""
        shapes, count = get_args(Shape), self.count.draw(rng)
        parts = [
            {
                "shape": str(rng.choice(shapes)),
                "material": int(rng.integers(self.materials)),
                "place": rng.uniform(-0.1, 1.1, 2).tolist(),
                "angle": float(rng.uniform(0.0, math.pi)),
                "size": self.size.draw(rng),
                "slimness": self.slimness.draw(rng),
                "thickness": self.thickness.draw(rng),
                "wall": self.wall.draw(rng),
            }
            for _ in range(count * _TRIES)
        ]
        return {"pixel_size": self.pixel_size.draw(rng), "count": count, "parts": parts}

    def intervals(self) -> dict[str, Interval]:
        """Give the intervals of what an image has one of; those of the parts are kept in `vary`."""
        return {"pixel_size": self.pixel_size, "count": self.count}

    def vary(self, parameters: Parameters, rng: Generator, spread: float) -> Parameters:
        """Move the pixel size, and each part's numbers inside their intervals."""
        moved = {key: getattr(self, key) for key in ("size", "slimness", "thickness", "wall")}
        parts = [
            {**part, **{key: interval.move(part[key], rng, spread) for key, interval in moved.items()}}
            for part in parameters["parts"]
        ]
        size = self.pixel_size.move(parameters["pixel_size"], rng, spread)
        return {
            **parameters,
            "pixel_size": size,
            "count": self.count.move(parameters["count"], rng, spread),
            "parts": parts,
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay part after part where nothing lies yet."""
        fine = self.tile * self.fine
        step = parameters["pixel_size"] / self.fine
        material = np.zeros((fine, fine), np.uint8)
        thickness = np.zeros((self.materials, fine, fine), np.float32)
        laid = 0
        for part in parameters["parts"]:
            if laid == parameters["count"]:
                break
            path = _path(part, fine, step)
            inside = path > 0.0
            if not inside.any() or (inside & (material > 0)).any():
                continue
            material[inside] = part["material"] + 1
            thickness[part["material"]] += path / np.float32(_MM_PER_CM)
            laid += 1
        # The label is that of the fine pixel in the middle: which side of the edge most of the pixel is on.
        middle = self.fine // 2
        labels = material[middle :: self.fine, middle :: self.fine]
        return sample.replace(labels=labels.copy(), extras={**sample.extras, THICKNESS: thickness})


def _path(part: Parameters, side: int, step: float) -> Float32:
    """Give the length in mm that the beam runs through a part at each fine pixel (y, x)."""
    half, extent = 0.5 * part["size"], side * step
    places = (np.arange(side) + 0.5) * step
    y = places[:, None] - part["place"][0] * extent
    x = places[None, :] - part["place"][1] * extent
    along = x * math.cos(part["angle"]) + y * math.sin(part["angle"])
    across = y * math.cos(part["angle"]) - x * math.sin(part["angle"])
    radius = half * part["slimness"]
    path: NDArray[np.float64]
    if part["shape"] == "ball":
        path = _chord(np.hypot(x, y), radius)
    elif part["shape"] == "disc":
        path = np.where(np.hypot(x, y) <= radius, part["thickness"], 0.0)
    elif part["shape"] == "plate":
        path = np.where((np.abs(along) <= half) & (np.abs(across) <= radius), part["thickness"], 0.0)
    else:
        bore = radius * (1.0 - part["wall"]) if part["shape"] == "tube" else 0.0
        path = np.where(np.abs(along) <= half, _chord(across, radius) - _chord(across, bore), 0.0)
    return path.astype(np.float32)


def _chord(distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Give the length of the chord of a circle at distances from its middle."""
    return np.asarray(2.0 * np.sqrt(np.maximum(radius**2 - distance**2, 0.0)))
