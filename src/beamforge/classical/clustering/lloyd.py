"""Lloyd's iterations by matrix products, with most distances replaced by exact bounds.

After an exact pass over the data every pixel is known by its projection on the span of the centroids and by how far it
lies from that span. Centroids that are means of many pixels hardly leave the span while they move on, so the scores of
a pixel are known up to (its distance from the span) × (the distance between the centroids' parts outside of it), by
Cauchy and Schwarz. Only pixels that this leaves undecided are read again. The labels are those of the plain algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.threads import Run

_MOST_UNDECIDED = 0.1  # share of the pixels from which a new exact pass is cheaper
_FEW_FEATURES = 8  # for each cluster; with fewer, bounds cost more than the distances
_ROUNDING = 1e-5  # of float32 sums, relative to the size of what is summed

Labels = NDArray[np.intp]


@dataclass(frozen=True)
class Fit:
    """What Lloyd's iterations found.

    Attributes
    ----------
    centroids
        (cluster, feature).
    labels
        Nearest centroid of each pixel.
    sizes
        Pixels of each cluster.
    inertia
        Sum of the squared distances of the pixels from their centroids.
    iterations
        How often the centroids moved.
    exact_passes
        How often all the data was read for it.
    """

    centroids: Float64
    labels: Labels
    sizes: NDArray[np.int64]
    inertia: float
    iterations: int
    exact_passes: int


def lloyd(features: Features, start: Float64, *, iterations: int = 300, tolerance: float = 1e-4, run: Run = map) -> Fit:
    """Move centroids to the means of their pixels until they rest.

    Parameters
    ----------
    features
        The data.
    start
        Starting centroids (cluster, feature).
    iterations
        Most moves.
    tolerance
        The centroids rest if their squared moves add up to less than this times the mean variance of a feature.
    run
        Runs the work on blocks; the result does not depend on it.

    Returns
    -------
    Fit
        An empty cluster starts again at the pixel farthest from its centroid.
    """
    clusters = _Clusters(features, start - features.mean, run)
    clusters.assign()
    enough = tolerance * clusters.scatter / (features.count * features.size)
    moves = 0
    while moves < iterations:
        shift = clusters.move()
        moves += 1
        changed = clusters.assign()
        if not changed or shift <= enough:
            break
    return Fit(
        centroids=clusters.centroids + features.mean,
        labels=clusters.labels,
        sizes=clusters.sizes,
        inertia=clusters.inertia,
        iterations=moves,
        exact_passes=clusters.exact_passes,
    )


class _Clusters:
    """Centroids, labels and sums; everything is relative to the mean of the data."""

    def __init__(self, features: Features, centroids: Float64, run: Run) -> None:
        self.features = features
        self.run = run
        self.centroids = centroids
        self.labels: Labels = np.full(features.count, -1, dtype=np.intp)
        self.sums = np.zeros((features.size, len(centroids)))
        self.scatter = 0.0
        self.exact_passes = 0
        self._offset = features.mean.astype(np.float32)[:, None]
        self._squares = np.empty(features.count, dtype=np.float32)
        self._basis = np.empty((features.size, 0))
        self._inside = np.empty((0, features.count), dtype=np.float32)
        self._outside = np.empty(features.count, dtype=np.float32)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Pixels of each cluster."""
        return np.bincount(self.labels, minlength=len(self.centroids)).astype(np.int64)

    @property
    def inertia(self) -> float:
        """Sum of squared distances, by the sums alone."""
        own = self.sizes @ np.einsum("kf,kf->k", self.centroids, self.centroids)
        return max(0.0, float(self.scatter + own - 2 * np.einsum("kf,fk->", self.centroids, self.sums)))

    def move(self) -> float:
        """Put every centroid into the mean of its pixels; give the sum of the squared moves."""
        sizes = self.sizes
        moved = self.sums.T / np.maximum(sizes, 1)[:, None]
        empty = np.flatnonzero(sizes == 0)
        if len(empty):
            distances = self._squares - 2 * self._own_products() + np.einsum("kf,kf->k", moved, moved)[self.labels]
            farthest = np.argpartition(distances, -len(empty))[-len(empty) :]
            moved[empty] = (self.features.take(farthest) - self._offset).T
        shift = float(((moved - self.centroids) ** 2).sum())
        self.centroids = moved
        return shift

    def _own_products(self) -> Float32:
        """Scalar product of each pixel with its centroid, inside the span."""
        coordinates = (self.centroids @ self._basis).astype(np.float32)
        found: Float32 = np.einsum("rp,rp->p", coordinates[self.labels].T, self._inside)
        return found

    def assign(self) -> bool:
        """Give every pixel its nearest centroid; tell whether any changed."""
        if self.exact_passes and self.features.size > _FEW_FEATURES * len(self.centroids):
            decided, undecided = self._bounded()
            if len(undecided) <= _MOST_UNDECIDED * self.features.count:
                return self._settle(decided, undecided)
        return self._exact_pass()

    def _half_squares(self) -> Float32:
        found: Float32 = (0.5 * np.einsum("kf,kf->k", self.centroids, self.centroids)).astype(np.float32)
        return found

    def _exact_pass(self) -> bool:
        """Read all the data: project it on the span of the centroids, in which the scores are exact."""
        first = self.exact_passes == 0
        self.exact_passes += 1
        self._basis = np.linalg.qr(self.centroids.T)[0]
        rank = self._basis.shape[1]
        if len(self._inside) != rank:
            self._inside = np.empty((rank, self.features.count), dtype=np.float32)
        axes = np.ascontiguousarray(self._basis.T.astype(np.float32))
        coordinates, half = (self.centroids @ self._basis).astype(np.float32), self._half_squares()[:, None]
        before, self.sums = self.labels, np.zeros_like(self.sums)
        self.labels = np.empty_like(before)

        def read(part: slice) -> Float32:
            block = self.features.block(part) - self._offset
            inside = self._inside[:, part]
            np.matmul(axes, block, out=inside)
            labels = (coordinates @ inside - half).argmax(axis=0)
            self.labels[part] = labels
            if first:
                np.einsum("fp,fp->p", block, block, out=self._squares[part])
            return np.asarray(block @ _indicators(labels, len(self.centroids)), dtype=np.float32)

        for sums in self.run(read, self.features.slices()):
            self.sums += sums
        if first:
            self.scatter = float(self._squares.sum(dtype=np.float64))
        outside = self._squares - np.einsum("rp,rp->p", self._inside, self._inside)
        np.sqrt(np.maximum(outside, 0) + _ROUNDING * self._squares, out=self._outside)
        return not np.array_equal(before, self.labels)

    def _bounded(self) -> tuple[Labels, NDArray[np.intp]]:
        """Give the likely labels, and the pixels whose labels the bounds leave undecided."""
        within = self.centroids @ self._basis
        beyond = self.centroids - within @ self._basis.T
        apart = np.linalg.norm(beyond[:, None] - beyond[None], axis=2).astype(np.float32)
        coordinates, half = within.astype(np.float32), self._half_squares()[:, None]
        slack = _ROUNDING * float(np.linalg.norm(within, axis=1).max())
        labels = np.empty_like(self.labels)

        def decide(part: slice) -> NDArray[np.intp]:
            scores = coordinates @ self._inside[:, part] - half
            best = scores.argmax(axis=0)
            labels[part] = best
            top = np.take_along_axis(scores, best[None], axis=0)[0]
            reach = self._outside[part] * apart[:, best]
            reach += slack * np.sqrt(self._squares[part])
            reach += scores
            reach[best, np.arange(len(best))] = -np.inf
            undecided: NDArray[np.intp] = part.start + np.flatnonzero(reach.max(axis=0) >= top)
            return undecided

        parts = self.features.slices(4 * len(self.centroids))
        return labels, np.concatenate(list(self.run(decide, parts)))

    def _settle(self, labels: Labels, undecided: NDArray[np.intp]) -> bool:
        """Decide the undecided pixels by reading them, and bring the sums up to date with all that changed."""
        centroids, half = self.centroids.astype(np.float32), self._half_squares()[:, None]
        for batch in self.features.batches(undecided):
            columns = self.features.take(batch) - self._offset
            labels[batch] = (centroids @ columns - half).argmax(axis=0)
        changed = np.flatnonzero(labels != self.labels)
        count = len(self.centroids)
        for batch in self.features.batches(changed):
            columns = self.features.take(batch) - self._offset
            self.sums += columns @ (_indicators(labels[batch], count) - _indicators(self.labels[batch], count))
        self.labels = labels
        return bool(len(changed))


def _indicators(labels: Labels, count: int) -> Float32:
    """Give (pixel, cluster), 1 where a pixel belongs."""
    found = np.zeros((len(labels), count), dtype=np.float32)
    found[np.arange(len(labels)), labels] = 1
    return found
