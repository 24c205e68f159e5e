"""The table of spots: the truth that comes with a simulated projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beamforge.arrays import Float32, Integers
from beamforge.physics.labdct import Instrument

SPOT = np.dtype(
    [
        ("grain", "i4"),  # counted from 1
        ("h", "i2"),  # of the reflection with most photons, where parallel planes share the spot
        ("k", "i2"),
        ("l", "i2"),
        ("omega", "f8"),  # degrees
        ("energy", "f8"),  # keV, mean over the photons
        ("y", "f8"),  # row of the centroid of the rays
        ("x", "f8"),  # column
        ("intensity", "f8"),  # counted photons, all rays, on the detector or not
        ("area", "i4"),  # px brighter than the threshold of visibility, beam stop aside
        ("peak", "f8"),  # photons in the brightest of the pixels that count
    ]
)
"""Columns of the table of spots."""


@dataclass(frozen=True)
class Projection:
    """A simulated projection with its truth.

    Attributes
    ----------
    image
        Expected photons (row, column) float32 of the diffraction spots alone: no beam, no background, no noise.
    owners
        (row, column) int32: 1 + place in `spots` of the brightest spot where it is visible, 0 elsewhere.
    spots
        Structured array of `SPOT`, all that reach the detector, visible or not.
    omega
        Rotation in degrees.
    instrument
        What it was simulated with.
    """

    image: Float32
    owners: Integers
    spots: np.ndarray
    omega: float
    instrument: Instrument

    @property
    def visible(self) -> np.ndarray:
        """The spots that can be seen: those with pixels above the threshold beside the beam stop."""
        return np.asarray(self.spots[self.spots["area"] > 0])
