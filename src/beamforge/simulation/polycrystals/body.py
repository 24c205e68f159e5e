"""Outer shapes of samples: what the beam passes on its way to a grain and away from it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat

from beamforge.arrays import Float64


class Cylinder(BaseModel):
    """An upright cylinder around the rotation axis; diameter and height in µm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: Literal["cylinder"] = "cylinder"
    diameter: PositiveFloat
    height: PositiveFloat

    @property
    def extent(self) -> tuple[float, float, float]:
        """Widths along x, y, z in mm."""
        return self.diameter * 1e-3, self.diameter * 1e-3, self.height * 1e-3

    @property
    def volume(self) -> float:
        """In mm³."""
        return math.pi / 4.0 * self.diameter**2 * self.height * 1e-9

    def holds(self, points: Float64) -> np.ndarray:
        """Say which points (..., 3) in mm are inside."""
        half = 0.5e-3 * self.height
        return (np.hypot(points[..., 0], points[..., 1]) <= 0.5e-3 * self.diameter) & (np.abs(points[..., 2]) <= half)


class Box(BaseModel):
    """A box around the origin, turning with the sample; widths along x, y, z in µm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: Literal["box"] = "box"
    widths: tuple[PositiveFloat, PositiveFloat, PositiveFloat]

    @property
    def extent(self) -> tuple[float, float, float]:
        """Widths along x, y, z in mm."""
        x, y, z = self.widths
        return x * 1e-3, y * 1e-3, z * 1e-3

    @property
    def volume(self) -> float:
        """In mm³."""
        return math.prod(self.extent)

    def holds(self, points: Float64) -> np.ndarray:
        """Say which points (..., 3) in mm are inside."""
        return np.asarray((np.abs(points) <= 0.5 * np.asarray(self.extent)).all(axis=-1))


Body = Cylinder | Box
