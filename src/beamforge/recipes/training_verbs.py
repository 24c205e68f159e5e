"""The verbs of training as functions of files: a network from stored samples, and the rate to train it with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.recipes.settings import read_settings
from beamforge.recipes.tile_verbs import TILE_CLASS
from beamforge.recipes.training_settings import TrainingSettings
from beamforge.simulation.stored import StoredSamples

if TYPE_CHECKING:
    from beamforge.learning import Classifier, RateRange, Segmenter
    from beamforge.learning.data import LabelledImages

_VALIDATION_SHARE = 0.1
_FIGURES = ("png", "svg", "pdf")


def train(
    data: str | Path,
    output: str | Path,
    *,
    validation: str | Path | None = None,
    settings: dict[str, Any] | None = None,
) -> Segmenter | Classifier:
    """Train a network on a stored data set: a segmenter, or a classifier if its architecture is one.

    Parameters
    ----------
    data
        Samples that `simulate` wrote.
    output
        Folder of the training: events, checkpoints, and the model in ``model/``.
    validation
        Samples to validate on; by default the last tenth of the data is kept for it.
    settings
        `TrainingSettings`: ``network`` and ``training``, as in a recipe, and the ``tile_class`` of a classifier.
    """
    from beamforge.learning import train as train_segmenter
    from beamforge.learning import train_classifier
    from beamforge.learning.data import StoredDataset
    from beamforge.learning.tile_classes import TileClasses

    chosen = read_settings(TrainingSettings, settings or {}, "train")
    samples = StoredDataset(data)
    learn: LabelledImages
    check: LabelledImages
    if validation is not None:
        learn, check = samples, StoredDataset(validation)
        _refuse_same_samples(learn.samples, check.samples)
    else:
        learn, check = samples.split(_VALIDATION_SHARE)
    if chosen.classifies:
        tiles, checked = (TileClasses(images, chosen.tile_class) for images in (learn, check))
        tiles.counts()
        origin = {TILE_CLASS: chosen.tile_class.model_dump(mode="json")}
        return train_classifier(
            chosen.network, chosen.training, tiles, checked, output, simulated=True, inputs=[data], origin=origin
        )
    return train_segmenter(chosen.network, chosen.training, learn, check, output, simulated=True, inputs=[data])


def lr_range(
    data: str | Path,
    output: str | Path,
    *,
    settings: dict[str, Any] | None = None,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    stage: int = 1,
) -> RateRange:
    """Try rising learning rates on a stored data set and draw the loss; see `beamforge.learning.learning_rate_range`.

    Parameters
    ----------
    data
        Samples that `simulate` wrote.
    output
        The figure, PNG, SVG or PDF by its name.
    settings
        As for `train`.
    low, high, steps, stage
        As of `beamforge.learning.learning_rate_range`.
    """
    from beamforge.learning import learning_rate_range
    from beamforge.learning.data import StoredDataset
    from beamforge.learning.tile_classes import TileClasses
    from beamforge.reporting.figures.rate_range import rate_range_chart

    suffix = Path(output).suffix.removeprefix(".")
    if suffix not in _FIGURES:
        raise InputError(f"{output}: expected a name that ends on one of {', '.join(_FIGURES)}")
    chosen = read_settings(TrainingSettings, settings or {}, "lr-range")
    samples = StoredDataset(data)
    tiles = TileClasses(samples, chosen.tile_class) if chosen.classifies else samples
    found = learning_rate_range(chosen.network, chosen.training, tiles, low=low, high=high, steps=steps, stage=stage)
    with atomic_path(output) as temporary:
        rate_range_chart(found).savefig(temporary, format=suffix, dpi=150)
    return found


def _refuse_same_samples(learn: StoredSamples, check: StoredSamples) -> None:
    """Refuse to validate on samples that are trained on: sample i of a seed is the same in every data set."""
    if (learn.seed, learn.attrs["fingerprint"]) == (check.seed, check.attrs["fingerprint"]):
        raise InputError(
            f"{check.path} holds the samples of {learn.path}: both were simulated with the seed {learn.seed}; simulate "
            "the validation data with another --seed"
        )
