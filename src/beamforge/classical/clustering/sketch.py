"""A small picture of large data: its projection on the few directions in which spectra differ by more than noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from sklearn.utils.extmath import randomized_svd

from beamforge.arrays import Float32
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.threads import Run

_SAMPLES_PER_DIRECTION = 32


@dataclass(frozen=True)
class Sketch:
    """Leading principal directions.

    The subspace of the leading principal components holds the centroids of k-means up to noise (Ding & He 2004), so
    that clusters found in it are nearly those of the data itself.

    Attributes
    ----------
    axes
        (direction, feature), orthonormal.
    middle
        Projection of the mean of the data (direction, 1).
    """

    axes: Float32
    middle: Float32

    @classmethod
    def of(cls, features: Features, rank: int, rng: Generator) -> Self:
        """Find at most `rank` directions in a sample of the data."""
        rank = min(rank, features.size)
        offset = features.mean.astype(np.float32)[:, None]
        count = min(features.count, _SAMPLES_PER_DIRECTION * rank)
        sample = features.take(np.sort(rng.choice(features.count, count, replace=False))) - offset
        if rank < min(sample.shape):
            axes = randomized_svd(sample, rank, n_iter=1, random_state=int(rng.integers(2**31)))[0].T
        else:
            axes = np.linalg.svd(sample, full_matrices=False)[0].T[:rank]
        axes = np.ascontiguousarray(axes, dtype=np.float32)
        return cls(axes, axes @ offset)

    def project(self, features: Features, run: Run = map) -> Float32:
        """Project all pixels, float32 (direction, pixel), relative to the mean of the data."""
        found = np.empty((len(self.axes), features.count), dtype=np.float32)

        def one(part: slice) -> None:
            np.subtract(self.axes @ features.block(part), self.middle, out=found[:, part])

        for _ in run(one, features.slices()):
            pass
        return found
