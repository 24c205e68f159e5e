"""Completeness of a grain: how many of the spots it must make are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Geometry, Instrument
from beamforge.physics.structure_factors import families
from beamforge.statistics.compiled import compiled

_STEPS = 4
"""Distances are kept in quarters of a pixel."""
_FARTHEST = 255


@dataclass(frozen=True)
class SpotMaps:
    """What is needed to look up whether there is a spot.

    Attributes
    ----------
    distances
        (projection, y, x) uint8: distance in quarters of a px to the nearest spot, 255 for 63.75 and more.
    angles
        Rotation (projection,) in degrees.
    vectors
        Scattering vectors (reflection, 3) in 1/Å in the crystal's frame, one for each direction.
    instrument
        Geometry and range of energies.
    """

    distances: NDArray[np.uint8]
    angles: Float64
    vectors: Float64
    instrument: Instrument

    @classmethod
    def of(
        cls,
        masks: Sequence[NDArray[np.bool_]],
        angles: Float64,
        crystal: Crystal,
        instrument: Instrument,
        *,
        count: int = 4,
    ) -> SpotMaps:
        """Prepare binary projections.

        Parameters
        ----------
        masks
            Spots (y, x) of each projection.
        angles
            Rotation (projection,) in degrees.
        crystal
            Structure of the grains.
        instrument
            What measured.
        count
            Families of reflections.

        Raises
        ------
        InputError
            If numbers or sizes differ, or there is no spot at all.
        """
        if len(masks) != len(angles):
            raise InputError(f"{len(angles)} rotation angles (omega) for {len(masks)} projections; give one for each")
        shape = instrument.geometry.shape
        for number, mask in enumerate(masks):
            if mask.shape != shape:
                raise InputError(f"projection {number} is {mask.shape}, the instrument's detector {shape} (y, x)")
        if not any(mask.any() for mask in masks):
            raise InputError("no projection holds a spot; nothing can be indexed")
        hkl = np.concatenate(families(crystal, count))
        # Parallel planes send to one place; the lowest order has the widest range of energies on the detector.
        order = np.argsort((hkl**2).sum(axis=1), kind="stable")
        directions = (hkl // np.gcd.reduce(hkl, axis=1)[:, None])[order]
        chosen = order[np.sort(np.unique(directions, axis=0, return_index=True)[1])]
        distances = np.stack([_distances(mask) for mask in masks])
        return cls(distances, np.asarray(angles, np.float64), hkl[chosen] @ crystal.reciprocal.T, instrument)

    def completeness(
        self, orientations: Float64, positions: Float64, tolerance: float
    ) -> tuple[Float64, NDArray[np.int64]]:
        """Give the share of the predicted spots that are there.

        Parameters
        ----------
        orientations
            (n, 3, 3).
        positions
            Of the grains (n, 3) in mm.
        tolerance
            In px.

        Returns
        -------
        completeness
            (n,); 0 where no spot is predicted.
        predicted
            (n,) spots on the detector outside the beam stop.
        """
        hits, predicted, _ = self._counted(orientations, positions, tolerance)
        return hits / np.maximum(predicted, 1), predicted

    def closeness(self, orientations: Float64, positions: Float64, reach: float) -> Float64:
        """Give the mean over predicted spots of max(0, 1 - distance / reach), (n,): it rises towards a match."""
        _, predicted, near = self._counted(orientations, positions, reach)
        return np.asarray(near / np.maximum(predicted, 1))

    def _counted(
        self, orientations: Float64, positions: Float64, reach: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Float64]:
        geometry = self.instrument.geometry
        high = min(self.instrument.energies[1], self.instrument.tube.voltage)
        return _count(
            np.ascontiguousarray(orientations), np.ascontiguousarray(positions), np.radians(self.angles), self.vectors,
            _described(geometry), geometry.source, self.instrument.energies[0], high, self.distances,
            geometry.shadowed(), min(int(_STEPS * reach), _FARTHEST - 1),
        )  # fmt: skip


def _distances(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if not mask.any():
        return np.full(mask.shape, _FARTHEST, np.uint8)
    away: Float32 = distance_transform_edt(~mask)
    quarters: NDArray[np.uint8] = np.minimum(np.ceil(_STEPS * away), _FARTHEST).astype(np.uint8)
    return quarters


def _described(geometry: Geometry) -> Float64:
    """Give place, normal, y and z axis, and (pixel, row, column of the beam) as rows (5, 3)."""
    detector = np.zeros((5, 3))
    detector[0, 0] = geometry.sample_to_detector
    detector[1:4] = geometry.axes.T
    detector[4] = geometry.pixel, *geometry.centre
    return detector


@compiled
def _count(
    orientations: NDArray[np.float64],
    positions: NDArray[np.float64],
    angles: NDArray[np.float64],
    vectors: NDArray[np.float64],
    detector: NDArray[np.float64],
    source: NDArray[np.float64],
    low: float,
    high: float,
    distances: NDArray[np.uint8],
    hidden: NDArray[np.bool_],
    tolerance: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Count hits and predictions of every grain by exact rays, and sum up how near each prediction comes."""
    count = len(orientations)
    hits, predicted, near = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count)
    rows, columns = hidden.shape
    pixel, row0, column0 = detector[4]
    for n in range(count):
        crystal = orientations[n] @ vectors.T
        for a in range(len(angles)):
            cosine, sine = np.cos(angles[a]), np.sin(angles[a])
            px = cosine * positions[n, 0] - sine * positions[n, 1]
            py = sine * positions[n, 0] + cosine * positions[n, 1]
            pz = positions[n, 2]
            bx, by, bz = px - source[0], py - source[1], pz - source[2]
            length = np.sqrt(bx * bx + by * by + bz * bz)
            bx, by, bz = bx / length, by / length, bz / length
            for r in range(crystal.shape[1]):
                gx = cosine * crystal[0, r] - sine * crystal[1, r]
                gy = sine * crystal[0, r] + cosine * crystal[1, r]
                gz = crystal[2, r]
                along = -(bx * gx + by * gy + bz * gz)
                if along <= 0.0:
                    continue
                wave = 0.5 * (gx * gx + gy * gy + gz * gz) / along
                energy = wave * 12.398419843320026 / (2.0 * np.pi)
                if energy < low or energy > high:
                    continue
                dx, dy, dz = wave * bx + gx, wave * by + gy, wave * bz + gz
                ahead = dx * detector[1, 0] + dy * detector[1, 1] + dz * detector[1, 2]
                if ahead <= 0.0:
                    continue
                step = ((detector[0, 0] - px) * detector[1, 0] - py * detector[1, 1] - pz * detector[1, 2]) / ahead
                ox, oy, oz = px + step * dx - detector[0, 0], py + step * dy, pz + step * dz
                row = row0 - (ox * detector[3, 0] + oy * detector[3, 1] + oz * detector[3, 2]) / pixel
                column = column0 - (ox * detector[2, 0] + oy * detector[2, 1] + oz * detector[2, 2]) / pixel
                i, j = int(np.rint(row)), int(np.rint(column))
                if i < 0 or i >= rows or j < 0 or j >= columns or hidden[i, j]:
                    continue
                predicted[n] += 1
                distance = distances[a, i, j]
                if distance <= tolerance:
                    hits[n] += 1
                    near[n] += 1.0 - distance / (tolerance + 1.0)
    return hits, predicted, near
