"""How many clusters there are."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator
from sklearn.metrics import silhouette_score

from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.kmeans import kmeans
from beamforge.classical.clustering.lloyd import Fit
from beamforge.classical.clustering.mixture import Mixture
from beamforge.errors import InputError

Criterion = Literal["bic", "silhouette"]
Method = Literal["kmeans", "mixture"]

_RESTARTS = 4
_MIXTURE_RESTARTS = 2
_FIRST = 2
_SILHOUETTE_PIXELS = 2048


def count_scores(sample: Features, criterion: Criterion, method: Method, most: int, rng: Generator) -> dict[int, float]:
    """Score every number of clusters from 2 to `most` on a sample, higher is better.

    Parameters
    ----------
    sample
        Randomly drawn pixels.
    criterion
        ``"bic"``: minus the Bayesian information criterion, of the mixture, or for k-means of equally wide round
        Gaussians (Pelleg & Moore 2000). ``"silhouette"``: the mean silhouette (Rousseeuw 1987) of a part of the
        sample.
    method
        What is fitted.
    most
        Largest number to try.
    rng
        Random stream.

    Raises
    ------
    InputError
        If `most` is below 2 or above the number of pixels.
    """
    if not _FIRST <= most <= sample.count:
        raise InputError(f"the largest number of clusters to try is {most}, expected {_FIRST} to {sample.count}")
    judged = np.sort(rng.choice(sample.count, min(sample.count, _SILHOUETTE_PIXELS), replace=False))
    spectra = sample.take(judged).T
    scores = {}
    for count in range(_FIRST, most + 1):
        if method == "mixture":
            mixture = Mixture.fit(sample, count, rng, restarts=_MIXTURE_RESTARTS)
            labels, bic = mixture.assign_all(sample), mixture.bic(sample)
        else:
            fit = kmeans(sample, count, rng, restarts=_RESTARTS)
            labels, bic = fit.labels, spherical_bic(fit)
        if criterion == "bic":
            scores[count] = -bic
        else:
            several = len(np.unique(labels[judged])) > 1
            scores[count] = float(silhouette_score(spectra, labels[judged])) if several else -1.0
    return scores


def spherical_bic(fit: Fit) -> float:
    """Give the Bayesian information criterion of k-means as a mixture of round Gaussians of one width; less is better.

    Every pixel counts for its own cluster only.
    """
    pixels, (count, features) = len(fit.labels), fit.centroids.shape
    variance = max(fit.inertia / (pixels * features), np.finfo(np.float64).tiny)
    sizes = fit.sizes[fit.sizes > 0]
    log_likelihood = -0.5 * pixels * features * (np.log(2 * np.pi * variance) + 1)
    log_likelihood += float(sizes @ np.log(sizes / pixels))
    parameters = count * features + count
    return float(parameters * np.log(pixels) - 2 * log_likelihood)
