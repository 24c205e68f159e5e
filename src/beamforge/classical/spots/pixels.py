"""Pixel classifiers on two features, as the lecture has them: learnt from an annotated image, kept in memory."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.random import Generator
from scipy.ndimage import median_filter

from beamforge.arrays import Float32
from beamforge.classical.spots.detectors import Mask
from beamforge.errors import InputError
from beamforge.statistics.local_noise import NoiseModel, filled_nearest

Method = Literal["nearest", "forest"]


class PixelSpots:
    """Marks pixels by their grey value f and their distance |f - median 3×3|; made by `PixelSpots.fit`.

    Source: the 1-nearest-neighbour row of A. Kaestner's lecture on machine learning for neutron images.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    @classmethod
    def fit(cls, image: Float32, spots: Mask, method: Method, rng: Generator, *, pixels: int = 200_000) -> Self:
        """Learn from an annotated image.

        Parameters
        ----------
        image
            float32 (y, x).
        spots
            Mask (y, x).
        method
            ``"nearest"``: the nearest pixel decides. ``"forest"``: a random forest of 100 trees.
        rng
            Random stream of the choice of pixels and of the forest.
        pixels
            Most pixels to learn from.

        Raises
        ------
        InputError
            If the sizes differ or there is no spot.
        """
        if image.shape != spots.shape:
            raise InputError(f"the image is {image.shape} but the mask of its spots {spots.shape} (y, x)")
        finite = np.flatnonzero(np.isfinite(image))
        chosen = rng.permutation(finite)[:pixels]
        truth = spots.ravel()[chosen]
        if truth.all() or not truth.any():
            raise InputError("the annotation marks no spot, or nothing but spots; there is nothing to learn from")
        return cls(_estimator(method, rng).fit(_features(image)[chosen], truth))

    @property
    def halo(self) -> int:
        """Context in px."""
        return 1

    def detect(self, image: Float32, noise: NoiseModel) -> Mask:
        """Mark the spots; the noise does not matter."""
        mask: Mask = self._estimator.predict(_features(image)).astype(np.bool_).reshape(image.shape)
        return mask & np.isfinite(image)


def _features(image: Float32) -> Float32:
    filled = filled_nearest(image)
    distance = np.abs(filled - median_filter(filled, 3, mode="mirror"))
    return np.stack([filled.ravel(), distance.ravel()], axis=1)


def _estimator(method: Method, rng: Generator) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier

    if method == "nearest":
        return KNeighborsClassifier(1)
    return RandomForestClassifier(100, min_samples_leaf=5, random_state=int(rng.integers(2**31)))
