"""Supervised classification of pixels by multi-scale features."""

from beamforge.classical.pixels.classifier import PixelClassifier, PixelModel
from beamforge.classical.pixels.filters import Filters
from beamforge.classical.pixels.methods import METHODS
from beamforge.classical.pixels.thresholds import Threshold
from beamforge.classical.pixels.train import ALL_METHODS, train_classifier

__all__ = ["ALL_METHODS", "METHODS", "Filters", "PixelClassifier", "PixelModel", "Threshold", "train_classifier"]
