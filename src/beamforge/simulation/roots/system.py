"""What a root system is: short straight cylinders, each of an axis and an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float64


@dataclass(frozen=True)
class RootSystem:
    """Roots as segments; lengths in mm, places (x, y, z) with y downwards and z along the beam.

    Attributes
    ----------
    start, end
        Ends of each segment (segment, 3).
    radius
        At both ends (segment, 2).
    order
        0 for main roots and the shoot, 1 for their laterals, and so on (segment,).
    axis
        Number of the root a segment belongs to (segment,); the segments of a root stand in a row.
    """

    start: Float64
    end: Float64
    radius: Float64
    order: NDArray[np.int64]
    axis: NDArray[np.int64]

    @property
    def lengths(self) -> Float64:
        """Length of each segment."""
        lengths: Float64 = np.linalg.norm(self.end - self.start, axis=1)
        return lengths

    @property
    def axes(self) -> int:
        """Number of roots."""
        return int(self.axis.max(initial=-1)) + 1

    def part(self, chosen: NDArray[np.bool_]) -> Self:
        """Take some of the segments (segment,)."""
        return type(self)(
            self.start[chosen], self.end[chosen], self.radius[chosen], self.order[chosen], self.axis[chosen]
        )

    def moved(self, rotation: Float64, shift: Float64) -> Self:
        """Turn by a matrix (3, 3), then shift by (x, y, z)."""
        return type(self)(
            self.start @ rotation.T + shift, self.end @ rotation.T + shift, self.radius, self.order, self.axis
        )

    @classmethod
    def joined(cls, parts: Sequence[RootSystem]) -> Self:
        """Put systems together; their roots are numbered on."""
        before = np.cumsum([0, *(part.axes for part in parts)])
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.radius for part in parts]),
            np.concatenate([part.order for part in parts]),
            np.concatenate([part.axis + first for part, first in zip(parts, before, strict=False)]),
        )
