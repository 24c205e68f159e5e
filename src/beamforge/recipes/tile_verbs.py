"""The verbs of classifiers of tiles, as functions of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from beamforge.errors import InputError
from beamforge.files import read_json
from beamforge.io import open_labels, open_stack
from beamforge.learning.architectures.base import CLASSIFICATION
from beamforge.learning.tile_rules import AnyPixel, DrawnClass, TileRule

if TYPE_CHECKING:
    from beamforge.evaluation import ClassificationScores
    from beamforge.learning.data import LabelledImages

TILE_CLASS = "tile_class"
"""Under which name a model's provenance says what the class of a tile was in its training."""


def is_tile_classifier(model: str | Path) -> bool:
    """Say whether a model is a folder that holds a classifier of tiles."""
    file = Path(model) / "model.json"
    if not file.is_file():
        return False
    content = read_json(file)
    return isinstance(content, dict) and content.get("task") == CLASSIFICATION


def evaluate_tiles(model: str | Path, data: str | Path, labels: str | Path | None = None) -> ClassificationScores:
    """Judge a classifier on the tiles of a stored data set, or of a measured stack with its labels.

    Parameters
    ----------
    model
        The folder of the classifier.
    data, labels
        Samples that `simulate` wrote, or a measured stack and its labels, which is cut into tiles of the size that the
        classifier was trained on.

    Raises
    ------
    InputError
        If files cannot be read, or the tiles have other classes than the model.
    """
    from beamforge.evaluation import evaluate_classifier
    from beamforge.learning import Classifier
    from beamforge.learning.data import StoredDataset
    from beamforge.learning.image_tiles import ImageTiles
    from beamforge.learning.tile_classes import TileClasses

    classifier = Classifier.load(model)
    known = classifier.description.provenance.get(TILE_CLASS)
    rule: TileRule = AnyPixel() if known is None else TypeAdapter(AnyPixel | DrawnClass).validate_python(known)
    images: LabelledImages
    if labels is not None:
        stack = open_stack(data)
        marked = open_labels(labels, classes=classifier.classes.names, stack=stack)
        images = ImageTiles([(stack, marked)], classifier.classes, classifier.tile)
    elif (Path(data) / "parameters.jsonl").exists():
        images = StoredDataset(data)
    else:
        raise InputError(f"{data} is not a simulated data set; a measured stack needs its labels as well")
    return evaluate_classifier(classifier, TileClasses(images, rule))
