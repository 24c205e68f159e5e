"""Bodies of simple shape that together make particles, and the volume of phases they fill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float64
from beamforge.statistics.compiled import compiled

FIELDS = ("centres", "axes", "radii", "sharpness", "phases")


@dataclass(frozen=True)
class Bodies:
    """Superellipsoids |p/a|^n + |q/b|^n + |r/c|^n <= 1; where bodies meet, the later one holds the voxel.

    Attributes
    ----------
    centres
        (body, 3) as z, y, x in px.
    axes
        (body, 3, 3) unit vectors of the three semi-axes, rows, each as z, y, x.
    radii
        (body, 3) semi-axes a, b, c in px.
    sharpness
        (body,) exponent n: 2 is an ellipsoid, larger ones come near a box.
    phases
        (body,) number of the phase.
    """

    centres: Float64
    axes: Float64
    radii: Float64
    sharpness: Float64
    phases: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.phases)

    @classmethod
    def join(cls, parts: list[Bodies]) -> Self:
        """Put bodies behind one another."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS))

    def fill(self, phases: NDArray[np.uint8], bottom: int) -> None:
        """Write the bodies into the part of a volume whose first slice is `bottom`, where it is not 0.

        Parameters
        ----------
        phases
            uint8 (z, y, x); voxels of phase 0 (air) stay.
        bottom
            Which z of the volume the first slice is.
        """
        depth, rows, columns = phases.shape
        # How far each body reaches along z, y, x: no further than its box's corners.
        reach = np.abs(self.axes * self.radii[:, :, None]).sum(axis=1)
        low = np.ceil(self.centres - reach).astype(np.int64) - np.array([bottom, 0, 0])
        high = np.floor(self.centres + reach).astype(np.int64) - np.array([bottom, 0, 0])
        limits = np.array([depth, rows, columns])
        low, high = np.maximum(low, 0), np.minimum(high + 1, limits)
        for number in np.flatnonzero((low < high).all(axis=1)):
            scaled = self.axes[number] / self.radii[number][:, None]
            centre = self.centres[number] - np.array([bottom, 0, 0])
            _fill(phases, low[number], high[number], centre, scaled, self.sharpness[number], int(self.phases[number]))


@compiled
def _fill(
    volume: NDArray[np.uint8],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    centre: Float64,
    scaled: Float64,
    sharpness: float,
    phase: int,
) -> None:
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                if volume[z, y, x] == 0:
                    continue
                total = 0.0
                for axis in range(3):
                    along = (
                        scaled[axis, 0] * (z - centre[0])
                        + scaled[axis, 1] * (y - centre[1])
                        + scaled[axis, 2] * (x - centre[2])
                    )
                    total += math.fabs(along) ** sharpness
                if total <= 1.0:
                    volume[z, y, x] = phase
