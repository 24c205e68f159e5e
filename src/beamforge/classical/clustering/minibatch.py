"""k-means of a stack that does not fit into memory, band after band."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.kmeans import kmeans
from beamforge.classical.clustering.spectra import Spectra


def minibatch(spectra: Spectra, count: int, rng: Generator, *, restarts: int = 10) -> Float64:
    """Find centroids (cluster, feature) in one reading of the stack.

    They start as those of the sample. Every band then moves each centroid towards the mean of its nearest pixels by
    their share of all pixels the centroid has met, the sample's included (Sculley 2010).

    Raises
    ------
    InputError
        As `kmeans`, for the sample.
    """
    first = kmeans(spectra.sample, count, rng, restarts=restarts)
    centroids, met = first.centroids, first.sizes.astype(np.float64)
    for features, _ in spectra.bands():
        for part in features.slices():
            block = features.block(part)
            labels = nearest(block, centroids)
            sizes = np.bincount(labels, minlength=count).astype(np.float64)
            members = np.zeros((len(labels), count), dtype=np.float32)
            members[np.arange(len(labels)), labels] = 1
            met += sizes
            towards = (block @ members).T - sizes[:, None] * centroids
            centroids = centroids + towards / np.maximum(met, 1)[:, None]
    return centroids


def nearest(block: NDArray[np.float32], centroids: Float64) -> NDArray[np.intp]:
    """Give the nearest centroid of every column of (feature, pixel)."""
    middle = centroids.mean(axis=0)
    shifted = centroids - middle
    half = 0.5 * np.einsum("kf,kf->k", shifted, shifted) + shifted @ middle
    found: NDArray[np.intp] = (shifted.astype(np.float32) @ block - half.astype(np.float32)[:, None]).argmax(axis=0)
    return found


def assign_all(features: Features, centroids: Float64) -> NDArray[np.intp]:
    """Give the nearest centroid of every pixel."""
    return np.concatenate([nearest(features.block(part), centroids) for part in features.slices()])
