"""The forward model: what a detector shows of a polycrystal in the cone of a tube's white beam.

After Fang, Juul Jensen & Zhang, Acta Cryst. A76 (2020), 652, with exact rays for the positions instead of their closed
form, the Debye-Waller factor with 8 π², and spots laid out by the shape that their cells project to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from beamforge.arrays import Float32, Float64, Integers
from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.simulation.labdct import kernels
from beamforge.simulation.labdct.plan import Plan, check_field_of_view
from beamforge.simulation.labdct.rays import turned_about_z
from beamforge.simulation.labdct.reflections import HC, ReflectionTable
from beamforge.simulation.labdct.spots import SPOT, Projection
from beamforge.simulation.polycrystals.body import Body, Cylinder
from beamforge.simulation.polycrystals.mesh import GrainMesh
from beamforge.simulation.polycrystals.volume import GrainVolume

VISIBLE = float(3.0 * np.sqrt(110.0))
"""Photons a pixel needs above the background to be seen: three standard deviations of the background of 110 photons in
Fang et al., IUCrJ 8 (2021), 719. With it iron samples like theirs have as many spots as they give."""
_REACH = 3.5
"""Standard deviations after which a blur is cut."""
_CHUNKS = 8
"""Parts a projection is cut into for its threads."""


@dataclass(frozen=True)
class ForwardModel:
    """Simulates projections of a polycrystal.

    Attributes
    ----------
    volume
        The grains.
    crystal
        Their structure.
    instrument
        Geometry, tube, detector.
    body
        Outer shape that absorbs, centred on the rotation axis; None for no absorption in the sample.
    families
        How many families of reflections are followed.
    mesh
        Edge of the cells in pixels of the detector, seen at the sample; three for x, y and z.
    visible
        Photons above which a pixel counts as part of a visible spot.
    mosaicity
        Standard deviation in degrees of orientations inside a grain.
    """

    volume: GrainVolume
    crystal: Crystal
    instrument: Instrument
    body: Body | None = None
    families: int = 4
    mesh: float | tuple[float, float, float] = 1.0
    visible: float = VISIBLE
    mosaicity: float = 0.0

    @cached_property
    def table(self) -> ReflectionTable:
        """The reflections and how they diffract."""
        return ReflectionTable.of(self.crystal, self.instrument, self.families)

    @cached_property
    def cells(self) -> GrainMesh:
        """The grains cut into cells."""
        geometry = self.instrument.geometry
        edges = np.broadcast_to(np.asarray(self.mesh, np.float64), 3) * geometry.pixel / geometry.magnification
        return GrainMesh.of(self.volume, (float(edges[0]), float(edges[1]), float(edges[2])))

    def project(self, omega: float, *, workers: int = 1) -> Projection:
        """Simulate one projection.

        Parameters
        ----------
        omega
            Rotation of the sample in degrees.
        workers
            Threads.

        Raises
        ------
        InputError
            If the angle is no number or a grain is outside the field of view.
        """
        if not np.isfinite(omega):
            raise InputError(f"the rotation is {omega}°, expected a number")
        turn = turned_about_z(omega)
        middles = self.cells.middles @ turn.T
        check_field_of_view(middles, self.instrument.geometry, omega)
        plan = Plan.of(
            self.cells, middles, turn @ self._frames, self.table, self.instrument, np.radians(self.mosaicity)
        )
        points = np.ascontiguousarray(self.cells.centres @ turn.T)
        entries = np.zeros(len(points))
        body = _body(self.body, omega)
        kernels.entry_paths(points, self.instrument.geometry.source, body, entries)
        rays, sums, offsets = self._traced(plan, points, entries, body, workers)
        return self._painted(plan, rays, sums, offsets, omega, workers)

    def projections(self, omegas: Iterable[float], *, workers: int = 1) -> Iterator[Projection]:
        """Simulate projections in turn, `workers` of them at a time."""
        omegas = [float(omega) for omega in omegas]
        if not omegas:
            raise InputError("no rotation angle (omega) was given, expected one in degrees for each projection")
        self.table, self.cells  # noqa: B018  made once, before threads ask for them
        with ThreadPoolExecutor(workers) as pool:
            for begin in range(0, len(omegas), workers):
                yield from pool.map(self.project, omegas[begin : begin + workers])

    @cached_property
    def _frames(self) -> Float64:
        """(grain, 3, 3): turns the table's scattering vectors into the sample's frame, strained where grains are."""
        if self.volume.strains is None:
            return self.volume.orientations
        # A strained lattice (1 + e) A has the reciprocal lattice (1 + e)^-T B.
        stretched = np.linalg.inv(np.eye(3) + self.volume.strains)
        return np.asarray(np.swapaxes(stretched, 1, 2) @ self.volume.orientations)

    def _traced(
        self, plan: Plan, points: Float64, entries: Float64, body: Float64, workers: int
    ) -> tuple[Float32, Float64, Integers]:
        geometry = self.instrument.geometry
        first = self.cells.first
        offsets = np.concatenate([[0], np.cumsum(first[plan.grains + 1] - first[plan.grains])])
        rays = np.empty((offsets[-1], 3), np.float32)
        sums = np.zeros((len(plan.grains), 8))
        detector = np.zeros((5, 3))
        detector[0] = geometry.sample_to_detector, 0.0, 0.0
        detector[1:4] = geometry.axes.T
        detector[4] = geometry.pixel, *geometry.centre
        table = self.table
        scale = np.array([table.lowest, table.step, HC / (2.0 * np.pi)])
        families = table.family[plan.reflections]

        def run(span: tuple[int, int]) -> None:
            kernels.trace(
                *span, plan.grains, families, plan.vectors, plan.bases, offsets, first, points, self.cells.volumes,
                entries, geometry.source, body, detector, table.photons, table.absorption, scale, rays, sums,
            )  # fmt: skip

        _in_parts(run, offsets, workers)
        return rays, sums, offsets

    def _painted(
        self, plan: Plan, rays: Float32, sums: Float64, offsets: Integers, omega: float, workers: int
    ) -> Projection:
        spots = _of_spots(sums, plan.first)
        bases = plan.bases[plan.first[:-1]]
        lit = np.flatnonzero(spots[:, 0] > 0.0)
        radii = np.ceil(_REACH * np.sqrt(plan.spreads[:, :2].max(axis=1))).astype(np.int64)
        # The base of a spot is not on a pixel: patches begin on the pixel before the outermost ray.
        bounds = np.where(np.isfinite(spots[:, 4:8]), spots[:, 4:8], 0.0)
        low = np.floor(bases + bounds[:, 0::2]).astype(np.int64) - radii[:, None] - 1
        high = np.ceil(bases + bounds[:, 1::2]).astype(np.int64) + radii[:, None] + 1
        lit = lit[self._on_detector(low, high)[lit]]
        shapes = np.zeros_like(low)
        shapes[lit] = (high - low)[lit] + 1
        places = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))])
        patches = np.zeros(places[-1], np.float32)
        reaches = offsets[plan.first]

        def run(span: tuple[int, int]) -> None:
            kernels.paint(*span, reaches, rays, low - bases, shapes, places, plan.spreads, radii, patches)

        _in_parts(run, reaches, workers)
        return self._gathered(plan, spots, lit, low, shapes, places, patches, omega)

    def _on_detector(self, low: Float64, high: Float64) -> np.ndarray:
        rows, columns = self.instrument.geometry.shape
        return (high[:, 0] >= 0) & (low[:, 0] < rows) & (high[:, 1] >= 0) & (low[:, 1] < columns)

    def _gathered(
        self, plan: Plan, sums: Float64, lit: Integers, low: Integers, shapes: Integers, places: Integers,
        patches: Float32, omega: float,
    ) -> Projection:  # fmt: skip
        geometry = self.instrument.geometry
        image = np.zeros(geometry.shape, np.float32)
        owners = np.zeros(geometry.shape, np.int32)
        areas, peaks = np.zeros(len(lit), np.int64), np.zeros(len(lit))
        kernels.gather(
            low[lit], shapes[lit], places[lit], patches, geometry.shadowed(), self.visible, image, owners, areas, peaks
        )
        spots = np.zeros(len(lit), SPOT)
        part = plan.first[lit] + sums[lit, 8].astype(np.int64)
        spots["grain"] = plan.grains[part] + 1
        for axis, name in enumerate("hkl"):
            spots[name] = self.table.hkl[plan.reflections[part], axis]
        total = sums[lit, 0]
        spots["omega"], spots["intensity"] = omega, total
        spots["y"] = plan.bases[part, 0] + sums[lit, 1] / total
        spots["x"] = plan.bases[part, 1] + sums[lit, 2] / total
        spots["energy"] = sums[lit, 3] / total
        spots["area"], spots["peak"] = areas, peaks
        return Projection(image=image, owners=owners, spots=spots, omega=omega, instrument=self.instrument)


def _of_spots(sums: Float64, first: Integers) -> Float64:
    """Join what was summed over the parts of each spot: (spot, 9), last which of its parts sends most photons."""
    joined = np.zeros((len(first) - 1, 9))
    if len(joined):
        begins = first[:-1]
        joined[:, :4] = np.add.reduceat(sums[:, :4], begins)
        joined[:, 4:8:2] = np.minimum.reduceat(sums[:, 4:8:2], begins)
        joined[:, 5:8:2] = np.maximum.reduceat(sums[:, 5:8:2], begins)
        joined[:, 8] = [np.argmax(sums[a:b, 0]) for a, b in pairwise(first)]
    return joined


def _body(body: Body | None, omega: float) -> Float64:
    """Describe a body for the compiled loops: kind, half widths in mm, cosine and sine of the rotation."""
    cosine, sine = np.cos(np.radians(omega)), np.sin(np.radians(omega))
    if body is None:
        return np.array([kernels.OPEN, 0.0, 0.0, 0.0, cosine, sine])
    kind = kernels.CYLINDER if isinstance(body, Cylinder) else kernels.BOX
    return np.array([kind, *(0.5 * width for width in body.extent), cosine, sine])


def _in_parts(run: Callable[[tuple[int, int]], None], offsets: Integers, workers: int) -> None:
    """Call run((begin, end)) on parts of the spots with about as many rays each."""
    cuts = np.searchsorted(offsets, np.linspace(0, offsets[-1], _CHUNKS * workers + 1)[1:-1])
    edges = [0, *(int(cut) for cut in cuts), len(offsets) - 1]
    spans = [(a, b) for a, b in pairwise(edges) if a < b]
    if workers == 1:
        for span in spans:
            run(span)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, spans))
