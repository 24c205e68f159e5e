"""Starting centroids by k-means++."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError


def plus_plus(spectra: Float32, count: int, rng: Generator) -> Float64:
    """Draw pixels far from each other: each with a probability that grows with the squared distance from those before.

    Of a few candidates the one is taken that leaves the least inertia (greedy k-means++; Arthur & Vassilvitskii 2007,
    section 5).

    Parameters
    ----------
    spectra
        (feature, pixel), best with a mean near 0.
    count
        How many to draw.
    rng
        Random stream.

    Returns
    -------
    float64 (count, feature).

    Raises
    ------
    InputError
        If there are fewer different spectra.
    """
    squares = np.einsum("fp,fp->p", spectra, spectra).astype(np.float64)
    candidates = 2 + int(np.log(count))
    # Nearer than rounding is no distance.
    least = max(1e-6 * float(squares.mean()), float(np.finfo(np.float32).tiny))
    chosen = [int(rng.integers(spectra.shape[1]))]
    nearest = _squared_distances(spectra, squares, np.array(chosen), least)[0]
    while len(chosen) < count:
        cumulated = np.cumsum(nearest)
        if cumulated[-1] <= 0:
            raise InputError(
                f"there are only {len(chosen)} different spectra, {count} clusters are not possible; ask for fewer"
            )
        drawn = np.searchsorted(cumulated, rng.random(candidates) * cumulated[-1], side="right")
        drawn = np.minimum(drawn, spectra.shape[1] - 1)
        distances = np.minimum(nearest, _squared_distances(spectra, squares, drawn, least))
        best = int(distances.sum(axis=1).argmin())
        nearest = distances[best]
        chosen.append(int(drawn[best]))
    return spectra[:, chosen].T.astype(np.float64)


def _squared_distances(spectra: Float32, squares: Float64, chosen: np.ndarray, least: float) -> Float64:
    """Squared distances (chosen, pixel) of all spectra from some of them; those below `least` are none."""
    products = spectra[:, chosen].T @ spectra
    distances = squares[chosen, None] + squares - 2.0 * products
    distances[distances < least] = 0.0
    found: Float64 = distances
    return found
