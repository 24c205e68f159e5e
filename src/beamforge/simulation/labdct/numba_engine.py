"""The engine of compiled loops, spread over threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from beamforge.arrays import Float32, Float64, Integers
from beamforge.simulation.labdct import kernels
from beamforge.simulation.labdct.jobs import PaintJob, TraceJob

_PARTS = 8
"""Parts of the work for each thread: spots differ in size, so whoever is done takes the next."""


@dataclass(frozen=True)
class NumbaEngine:
    """Compiled loops; the result does not depend on the number of threads."""

    workers: int = 1

    def trace(self, job: TraceJob) -> tuple[Float32, Float64]:
        """Trace rays; see `Engine`."""
        rays = np.empty((job.offsets[-1], 3), np.float32)
        sums = np.zeros((len(job.grains), 8))

        def run(begin: int, end: int) -> None:
            kernels.trace(
                begin, end, job.grains, job.families, job.vectors, job.bases, job.offsets, job.first, job.points,
                job.volumes, job.entries, job.source, job.body, job.detector, job.photons, job.absorption, job.scale,
                rays, sums,
            )  # fmt: skip

        self._spread(run, job.offsets)
        return rays, sums

    def paint(self, job: PaintJob) -> Float32:
        """Lay out spots; see `Engine`."""
        patches = np.zeros(int(job.shapes.prod(axis=1).sum()), np.float32)

        def run(begin: int, end: int) -> None:
            kernels.paint(
                begin, end, job.offsets, job.rays, job.corners, job.shapes, job.places, job.spreads, job.reaches,
                patches,
            )  # fmt: skip

        self._spread(run, job.offsets)
        return patches

    def _spread(self, run: Callable[[int, int], None], offsets: Integers) -> None:
        """Call run(begin, end) on ranges with about as many rays each."""
        cuts = np.searchsorted(offsets, np.linspace(0, offsets[-1], _PARTS * self.workers + 1)[1:-1])
        ranges = [(a, b) for a, b in pairwise([0, *(int(cut) for cut in cuts), len(offsets) - 1]) if a < b]
        if self.workers == 1:
            for begin, end in ranges:
                run(begin, end)
            return
        with ThreadPoolExecutor(self.workers) as pool:
            for done in [pool.submit(run, *span) for span in ranges]:
                done.result()
