"""Baselines without training that a network must beat."""

from beamforge.classical.classifier import Classifier, classifier_class, classifier_names
from beamforge.classical.gaussian import GaussianClassifier, GaussianModel
from beamforge.classical.mean_field import MeanField

__all__ = [
    "Classifier",
    "GaussianClassifier",
    "GaussianModel",
    "MeanField",
    "classifier_class",
    "classifier_names",
]
