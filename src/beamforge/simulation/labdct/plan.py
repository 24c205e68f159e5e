"""Which grain sends which reflection to the detector, about where, and how blurred: what is known before any ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError
from beamforge.physics.labdct import Geometry, Instrument
from beamforge.simulation.labdct.rays import spot_places
from beamforge.simulation.labdct.reflections import HC, ReflectionTable
from beamforge.simulation.polycrystals.mesh import GrainMesh

_NUDGE = 1e-3
"""Length in mm, or angle in rad, over which places on the detector are taken as linear."""
_FWHM = float(np.sqrt(8.0 * np.log(2.0)))
# A pixel integrates over its square, variance 1/12 px² along each side; sharing a ray among four pixels adds 1/6 on
# average, so the blur that is left to do is narrower by the difference.
_SHARED = 1.0 / 12.0
_NARROWEST = 0.02


@dataclass(frozen=True)
class Plan:
    """The spots of one projection before their rays are traced.

    Parallel planes of a grain, such as 110 and 220, send different energies to one place: their reflections are the
    parts of one spot.

    Attributes
    ----------
    grains, reflections
        Grain (part,) from 0 and place (part,) in the table of reflections, ordered by spot.
    vectors
        Scattering vectors (part, 3) in the laboratory's frame.
    bases
        Row and column (part, 2) of the ray through each grain's middle.
    first
        Parts of a spot are ``first[s]`` to ``first[s + 1]``.
    spreads
        Variances of rows, of columns, and covariance (spot, 3) in px² of the blur.
    """

    grains: Integers
    reflections: Integers
    vectors: Float64
    bases: Float64
    first: Integers
    spreads: Float64

    @classmethod
    def of(
        cls,
        mesh: GrainMesh,
        middles: Float64,
        turned: Float64,
        table: ReflectionTable,
        instrument: Instrument,
        mosaicity: float,
    ) -> Plan:
        """List the spots that may reach the detector.

        Parameters
        ----------
        mesh
            The grains.
        middles
            Their middles (grain, 3) in mm, turned with the sample.
        turned
            (grain, 3, 3): turns the table's scattering vectors into the laboratory's frame.
        table
            The reflections.
        instrument
            The instrument.
        mosaicity
            Standard deviation in rad of orientations inside a grain.
        """
        vectors = np.einsum("gij,rj->gri", turned, table.vectors)
        points = np.broadcast_to(middles[:, None], vectors.shape)
        places, energies = spot_places(points, vectors, instrument.geometry)
        grains, reflections = np.nonzero(_may_reach(places, energies, vectors, mesh.radii, table, instrument.geometry))
        order = np.lexsort((reflections, table.direction[reflections], grains))
        grains, reflections = grains[order], reflections[order]
        spot = np.stack([grains, table.direction[reflections]])
        first = np.flatnonzero(np.concatenate([[True], (np.diff(spot) != 0).any(axis=0)])) if len(grains) else grains
        chosen = np.ascontiguousarray(vectors[grains, reflections])
        of_spot = grains[first]
        return cls(
            grains=grains,
            reflections=reflections,
            vectors=chosen,
            bases=np.ascontiguousarray(places[grains, reflections]),
            first=np.append(first, len(grains)),
            spreads=_spreads(middles[of_spot], chosen[first], mesh.edges[of_spot], instrument, mosaicity),
        )


def check_field_of_view(middles: Float64, geometry: Geometry, omega: float) -> None:
    """Make sure that the beam through every grain meets the detector.

    Raises
    ------
    InputError
        Naming the first grain outside the field of view.
    """
    beyond = middles[:, 0] <= -geometry.source_to_sample
    places = geometry.hits(middles, middles - geometry.source)
    rows, columns = geometry.shape
    outside = ~((places[:, 0] >= -0.5) & (places[:, 0] <= rows - 0.5))
    outside |= ~((places[:, 1] >= -0.5) & (places[:, 1] <= columns - 0.5))
    bad = np.flatnonzero((outside | beyond) & np.isfinite(middles[:, 0]))
    if len(bad):
        x, y, z = middles[bad[0]]
        raise InputError(
            f"grain {bad[0] + 1} at ({x:.4g}, {y:.4g}, {z:.4g}) mm, rotated by {omega:g}°, is outside the field of "
            f"view ({len(bad)} grains in all): the beam through it misses the detector of {rows}×{columns} px; check "
            "the unit (mm) and the centre of the volume, or move the detector"
        )


def _may_reach(
    places: Float64, energies: Float64, vectors: Float64, radii: Float64, table: ReflectionTable, geometry: Geometry
) -> np.ndarray:
    """Say of every grain and reflection whether any of its rays may have a usable energy and meet the detector."""
    margin = 4.0 * geometry.magnification * radii[:, None] / geometry.pixel + 8.0
    rows, columns = geometry.shape
    with np.errstate(invalid="ignore"):
        near = (places[..., 0] > -margin) & (places[..., 0] < rows + margin)
        near &= (places[..., 1] > -margin) & (places[..., 1] < columns + margin)
        # sin θ varies by the angle under which the source sees the grain.
        sine = np.linalg.norm(vectors, axis=-1) / energies * HC / (4.0 * np.pi)
        angle = radii[:, None] / (geometry.source_to_sample - 2.0 * radii[:, None])
        lowest = energies * sine / (sine + angle)
        highest = np.where(sine > angle, energies * sine / np.maximum(sine - angle, 1e-12), np.inf)
        top = table.lowest + table.step * (table.photons.shape[1] - 1)
        return np.asarray(near & (lowest < top) & (highest > table.lowest) & (radii[:, None] > 0.0))


def _spreads(points: Float64, vectors: Float64, edges: Float64, instrument: Instrument, mosaicity: float) -> Float64:
    """Give the blur (spot, 3): a cell's own width, source, detector and mosaicity, each through its own lever."""
    geometry = instrument.geometry
    total = np.zeros((len(points), 2, 2))
    middle = spot_places(points, vectors, geometry)[0]
    for axis in np.eye(3):
        lever = (spot_places(points + _NUDGE * axis, vectors, geometry)[0] - middle) / _NUDGE
        total += _outer(lever) * (edges @ axis)[:, None, None] ** 2 / 12.0
    source = 1e-3 * instrument.source_size / _FWHM
    for axis in np.eye(3)[1:]:
        lever = (spot_places(points, vectors, geometry, _NUDGE * axis)[0] - middle) / _NUDGE
        total += _outer(lever) * source**2
    if mosaicity > 0.0:
        for axis in np.eye(3):
            turned = vectors + _NUDGE * np.cross(axis, vectors)
            total += _outer((spot_places(points, turned, geometry)[0] - middle) / _NUDGE) * mosaicity**2
    total += np.eye(2) * (instrument.blur**2 - _SHARED)
    values, axes = np.linalg.eigh(total)
    total = np.einsum("sij,sj,skj->sik", axes, np.maximum(values, _NARROWEST), axes)
    return np.ascontiguousarray(np.stack([total[:, 0, 0], total[:, 1, 1], total[:, 0, 1]], axis=1))


def _outer(lever: Float64) -> Float64:
    return np.asarray(np.einsum("si,sj->sij", lever, lever))
