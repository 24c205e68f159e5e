"""Baselines without training that a network must beat."""

from beamforge.classical.analytic import AnalyticClassifier
from beamforge.classical.classifier import Classifier, classifier_class, classifier_names
from beamforge.classical.gaussian import GaussianClassifier, GaussianModel
from beamforge.classical.mean_field import MeanField
from beamforge.classical.tuning import tuned

__all__ = [
    "AnalyticClassifier",
    "Classifier",
    "GaussianClassifier",
    "GaussianModel",
    "MeanField",
    "classifier_class",
    "classifier_names",
    "tuned",
]
