"""k-means of pixels by their spectra."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.lloyd import Fit, lloyd
from beamforge.classical.clustering.seeding import plus_plus
from beamforge.classical.clustering.sketch import Sketch
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
    small = Features(Sketch.of(features, count + _DIRECTIONS_BESIDE, rng).project(features))
    starts = (plus_plus(small.values, count, rng) for _ in range(restarts))
    fits = (lloyd(small, start, iterations=iterations, tolerance=tolerance) for start in starts)
    start = means(features, min(fits, key=lambda fit: fit.inertia))
    if device is None:
        return lloyd(features, start, iterations=iterations, tolerance=tolerance)
    from beamforge.classical.clustering.lloyd_torch import lloyd_torch

    return lloyd_torch(features, start, device, iterations=iterations, tolerance=tolerance)


def means(features: Features, fit: Fit) -> Float64:
    """Give the mean of every cluster (cluster, feature); an empty one has the mean of all."""
    count = len(fit.sizes)
    sums = np.zeros((features.size, count))
    for part in features.slices():
        members = np.zeros((part.stop - part.start, count), dtype=np.float32)
        members[np.arange(len(members)), fit.labels[part]] = 1
        sums += features.block(part) @ members
    found = (sums / np.maximum(fit.sizes, 1)).T
    found[fit.sizes == 0] = features.mean
    return found
