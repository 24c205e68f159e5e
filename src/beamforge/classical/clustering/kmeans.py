"""k-means of pixels by their spectra."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32, Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.lloyd import Fit, lloyd
from beamforge.classical.clustering.seeding import plus_plus
from beamforge.classical.clustering.sketch import Sketch
from beamforge.classical.clustering.threads import Run, shared_blocks
from beamforge.errors import InputError

_DIRECTIONS_BESIDE = 10


def kmeans(
    features: Features,
    count: int,
    rng: Generator,
    *,
    restarts: int = 10,
    iterations: int = 300,
    tolerance: float = 1e-4,
    device: str | None = None,
) -> Fit:
    """Find `count` centroids with little inertia.

    k-means++ and Lloyd's iterations start `restarts` times in the sketch of the data, where they are quick and
    where noise draws no seeds; the best is refined on the data itself.

    Parameters
    ----------
    features
        The data; it is read block by block and not copied.
    count
        Number of clusters.
    rng
        Random stream.
    restarts
        How many starts.
    iterations, tolerance
        See `beamforge.classical.clustering.lloyd.lloyd`.
    device
        A torch device for the refinement, such as ``"cuda"``; by default NumPy on the CPU.

    Raises
    ------
    InputError
        If there are fewer pixels, or fewer different spectra, than clusters.
    """
    if not 1 <= count <= features.count:
        raise InputError(
            f"{count} clusters of {features.count} usable pixels are not possible; ask for 1 to {features.count}"
        )
    # Products with so few rows are not worth sharing between threads; blocks of pixels and whole starts are.
    with shared_blocks() as run:
        sketch = Sketch.of(features, count + _DIRECTIONS_BESIDE, rng)
        small = Features(sketch.project(features, run))
        _ = small.mean  # shared by all starts

        def started(stream: Generator) -> Fit:
            start = plus_plus(small.values, count, stream)
            return lloyd(small, start, iterations=iterations, tolerance=tolerance)

        best = min(run(started, rng.spawn(restarts)), key=lambda fit: fit.inertia)
        start = means(features, best, run)
        if device is None:
            return lloyd(features, start, iterations=iterations, tolerance=tolerance, run=run)
    from beamforge.classical.clustering.lloyd_torch import lloyd_torch

    return lloyd_torch(features, start, device, iterations=iterations, tolerance=tolerance)


def means(features: Features, fit: Fit, run: Run = map) -> Float64:
    """Give the mean of every cluster (cluster, feature); an empty one has the mean of all."""
    count = len(fit.sizes)

    def summed(part: slice) -> Float32:
        members = np.zeros((part.stop - part.start, count), dtype=np.float32)
        members[np.arange(len(members)), fit.labels[part]] = 1
        found: Float32 = features.block(part) @ members
        return found

    sums = np.zeros((features.size, count))
    for part_sums in run(summed, features.slices()):
        sums += part_sums
    found = (sums / np.maximum(fit.sizes, 1)).T
    found[fit.sizes == 0] = features.mean
    return found
