"""Anything that can segment, from its file or folder."""

from __future__ import annotations

from pathlib import Path

from beamforge.classical import AnalyticClassifier, Classifier
from beamforge.errors import InputError
from beamforge.files import read_json
from beamforge.predictor import Predictor
from beamforge.statistics.model import IntensityModel


def load_predictor(path: str | Path) -> Predictor:
    """Load a trained network or an ensemble of some (a folder), a classifier or an intensity model (JSON files).

    Raises
    ------
    InputError
        If there is none of them.
    """
    from beamforge.learning import Ensemble, Segmenter

    path = Path(path)
    if path.is_dir():
        return Ensemble.load(path) if Ensemble.lies_in(path) else Segmenter.load(path)
    content = read_json(path)
    if isinstance(content, dict) and "classifier" in content:
        return Classifier.load(path)
    if isinstance(content, dict) and "intensity_model" in content:
        return AnalyticClassifier(IntensityModel.load(path))
    raise InputError(f"{path} is no model: expected a model folder, a classifier or an intensity model")
