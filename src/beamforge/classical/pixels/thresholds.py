"""Thresholds on one feature, as estimators with the interface of scikit-learn's classifiers."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from skimage import filters as _skimage_filters
from sklearn.base import BaseEstimator

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError

_RULES: Any = _skimage_filters  # untyped

ThresholdRule = Literal["otsu", "multi_otsu", "two_peak"]


class Threshold(BaseEstimator):  # type: ignore[misc]
    """Cuts the range of one feature where its histogram says, and names each part by the labelled pixels in it.

    The feature is the one whose parts tell the labelled pixels apart best.

    Attributes
    ----------
    rule
        ``"otsu"``: least variance inside two parts (Otsu 1979); ``"multi_otsu"``: as many parts as classes;
        ``"two_peak"``: the minimum between the two peaks of the smoothed histogram (Prewitt & Mendelsohn 1966).
    feature, cuts
        What was found.
    """

    def __init__(self, rule: ThresholdRule) -> None:
        self.rule = rule
        self.feature = -1
        self.cuts: Float64 = np.empty(0)
        self._shares: Float64 = np.empty((0, 0))

    def fit(self, features: Float32, labels: NDArray[np.intp]) -> Self:
        """Find feature and cuts from labelled pixels, (pixel, feature) and (pixel,).

        Raises
        ------
        InputError
            If no feature can be cut in this way.
        """
        classes, best = int(labels.max()) + 1, -1.0
        for number, values in enumerate(features.T):
            cuts = self._cuts(values, classes)
            if cuts is None:
                continue
            parts = np.searchsorted(cuts, values, side="right")
            counts = np.zeros((len(cuts) + 1, classes))
            np.add.at(counts, (parts, labels), 1)
            right = float(counts.max(axis=1).sum())
            if right > best:
                best, self.feature, self.cuts = right, number, cuts
                self._shares = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        if self.feature < 0:
            raise InputError(f"no feature has a histogram that {self.rule!r} can cut; use another method")
        return self

    def _cuts(self, values: Float32, classes: int) -> Float64 | None:
        if len(np.unique(values)) < max(classes, 2):
            return None
        try:
            if self.rule == "otsu":
                return np.array([_RULES.threshold_otsu(values)])
            if self.rule == "two_peak":
                return np.array([_RULES.threshold_minimum(values)])
            return np.asarray(_RULES.threshold_multiotsu(values, classes=max(classes, 2)), dtype=np.float64)
        except (RuntimeError, ValueError):
            # Scikit-image's way to say that this histogram has no such cuts.
            return None

    def predict_proba(self, features: Float32) -> Float64:
        """Give the share of each class among the labelled pixels of a pixel's part (pixel, class)."""
        found: Float64 = self._shares[np.searchsorted(self.cuts, features[:, self.feature], side="right")]
        return found
