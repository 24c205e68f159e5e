"""Ways to tell classes apart by features, each with the interface of scikit-learn's classifiers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from beamforge.classical.pixels.thresholds import Threshold


def _standardised(kind: Callable[..., Any], **settings: Any) -> Any:
    """Make an estimator that sees every feature with mean 0 and standard deviation 1."""
    return make_pipeline(StandardScaler(), kind(**settings))


METHODS: dict[str, Callable[[], Any]] = {
    "otsu": partial(Threshold, "otsu"),
    "multi_otsu": partial(Threshold, "multi_otsu"),
    "two_peak": partial(Threshold, "two_peak"),
    "knn": partial(_standardised, KNeighborsClassifier, n_neighbors=5, weights="distance"),
    "decision_tree": partial(DecisionTreeClassifier, min_samples_leaf=5),
    "random_forest": partial(RandomForestClassifier, 100, min_samples_leaf=2),
    "gradient_boosting": partial(HistGradientBoostingClassifier, early_stopping=False),
    "lda": partial(_standardised, LinearDiscriminantAnalysis, solver="lsqr", shrinkage="auto"),
    "qda": partial(_standardised, QuadraticDiscriminantAnalysis, reg_param=0.01),
}
"""Makes an unfitted estimator, by name."""


def create_estimator(method: str, seed: int) -> Any:
    """Make the estimator of a method, with a seed wherever it draws random numbers."""
    estimator = METHODS[method]()
    seeds = {name: seed for name in estimator.get_params() if name.rpartition("__")[2] == "random_state"}
    return estimator.set_params(**seeds)
