"""The forward model: what a detector shows of a polycrystal in the cone of a tube's white beam.

After Fang, Juul Jensen & Zhang, Acta Cryst. A76 (2020), 652, with exact rays for the positions instead of their closed
form, the Debye-Waller factor with 8 π², and spots laid out by the shape that their cells project to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from beamforge.simulation.labdct.jobs import Engine, PaintJob, TraceJob
from beamforge.simulation.labdct.numba_engine import NumbaEngine
from beamforge.simulation.labdct.plan import Plan, check_field_of_view
from beamforge.simulation.labdct.rays import turned_about_z
from beamforge.simulation.labdct.reflections import HC, ReflectionTable, reflection_table
from beamforge.simulation.labdct.spots import SPOT, Projection
from beamforge.simulation.polycrystals.body import Body, Cylinder
from beamforge.simulation.polycrystals.mesh import GrainMesh
from beamforge.simulation.polycrystals.volume import GrainVolume

VISIBLE = float(3.0 * np.sqrt(110.0))
"""Photons a pixel needs above the background to be seen: three standard deviations of the background of 110 photons in
Fang et al., IUCrJ 8 (2021), 719. With it iron samples like theirs have as many spots as they give."""
_REACH = 3.5
"""Standard deviations after which a blur is cut."""


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
        return reflection_table(self.crystal, self.instrument, self.families)

    @cached_property
    def cells(self) -> GrainMesh:
        """The grains cut into cells."""
        geometry = self.instrument.geometry
        edges = np.broadcast_to(np.asarray(self.mesh, np.float64), 3) * geometry.pixel / geometry.magnification
        return GrainMesh.of(self.volume, (float(edges[0]), float(edges[1]), float(edges[2])))

    def project(self, omega: float, *, engine: Engine | None = None) -> Projection:
        """Simulate one projection.

        Parameters
        ----------
        omega
            Rotation of the sample in degrees.
        engine
            What does the work: by default compiled loops on one thread; ``NumbaEngine(workers)`` for more,
            ``TorchEngine("cuda")`` for a GPU. They agree within 1e-3 of the brightest pixel.

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
        job = self._traced(plan, np.ascontiguousarray(self.cells.centres @ turn.T), omega)
        engine = engine or NumbaEngine()
        rays, sums = engine.trace(job)
        joined = _of_spots(sums, plan.first)
        layout = self._painted(plan, rays, joined, job.offsets)
        return self._gathered(plan, joined, layout, engine.paint(layout), omega)

    def projections(self, omegas: Iterable[float], *, workers: int = 1) -> Iterator[Projection]:
        """Simulate projections in turn, `workers` of them at a time."""
        omegas = rotations(omegas)
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

    def _traced(self, plan: Plan, points: Float64, omega: float) -> TraceJob:
        geometry, table, cells = self.instrument.geometry, self.table, self.cells
        body = _body(self.body, omega)
        entries = np.zeros(len(points))
        kernels.entry_paths(points, geometry.source, body, entries)
        detector = np.zeros((5, 3))
        detector[0] = geometry.sample_to_detector, 0.0, 0.0
        detector[1:4] = geometry.axes.T
        detector[4] = geometry.pixel, *geometry.centre
        return TraceJob(
            grains=plan.grains,
            families=table.family[plan.reflections],
            vectors=plan.vectors,
            bases=plan.bases,
            offsets=np.concatenate([[0], np.cumsum(cells.first[plan.grains + 1] - cells.first[plan.grains])]),
            first=cells.first,
            points=points,
            volumes=cells.volumes,
            entries=entries,
            source=geometry.source,
            body=body,
            detector=detector,
            photons=table.photons,
            absorption=table.absorption,
            scale=np.array([table.lowest, table.step, HC / (2.0 * np.pi)]),
        )

    def _painted(self, plan: Plan, rays: Float32, sums: Float64, offsets: Integers) -> PaintJob:
        """Cut out a patch for every spot that meets the detector."""
        bases = plan.bases[plan.first[:-1]]
        reaches = np.ceil(_REACH * np.sqrt(plan.spreads[:, :2].max(axis=1, initial=0.0))).astype(np.int64)
        # Patches begin on the pixel before the outermost ray; bases are not on pixels.
        bounds = np.where(np.isfinite(sums[:, 4:8]), sums[:, 4:8], 0.0)
        low = np.floor(bases + bounds[:, 0::2]).astype(np.int64) - reaches[:, None] - 1
        high = np.ceil(bases + bounds[:, 1::2]).astype(np.int64) + reaches[:, None] + 1
        lit = (sums[:, 0] > 0.0) & (high >= 0).all(axis=1) & (low < self.instrument.geometry.shape).all(axis=1)
        shapes = np.where(lit[:, None], high - low + 1, 0)
        return PaintJob(
            offsets=offsets[plan.first],
            rays=rays,
            corners=low - bases,
            shapes=shapes,
            places=np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]),
            spreads=plan.spreads,
            reaches=reaches,
        )

    def _gathered(self, plan: Plan, sums: Float64, job: PaintJob, patches: Float32, omega: float) -> Projection:
        lit = np.flatnonzero(job.shapes[:, 0])
        part = plan.first[lit] + sums[lit, 8].astype(np.int64)
        origins = np.rint(job.corners[lit] + plan.bases[part]).astype(np.int64)
        geometry = self.instrument.geometry
        image = np.zeros(geometry.shape, np.float32)
        owners = np.zeros(geometry.shape, np.int32)
        areas, peaks = np.zeros(len(lit), np.int64), np.zeros(len(lit))
        kernels.gather(
            origins, job.shapes[lit], job.places[lit], patches, geometry.shadowed(), self.visible, image, owners,
            areas, peaks,
        )  # fmt: skip
        spots = np.zeros(len(lit), SPOT)
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


def rotations(omegas: Iterable[float]) -> list[float]:
    """Give rotation angles in degrees as a list.

    Raises
    ------
    InputError
        If there is none.
    """
    angles = [float(omega) for omega in omegas]
    if not angles:
        raise InputError("no rotation angle (omega) was given, expected one in degrees for each projection")
    return angles


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
