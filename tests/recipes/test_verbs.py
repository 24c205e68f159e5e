"""Verbs guard against what a file alone cannot show."""

from pathlib import Path

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.evaluation import evaluate_classifier
from beamforge.io import save_labels, save_stack
from beamforge.learning import Classifier
from beamforge.learning.data import SimulatedDataset
from beamforge.learning.tile_classes import TileClasses
from beamforge.recipes.tile_verbs import evaluate_tiles, is_tile_classifier
from beamforge.recipes.training_verbs import lr_range, train
from beamforge.recipes.verbs import simulate
from beamforge.simulation import Scenario, Step
from beamforge.simulation.dataset import write_dataset
from beamforge.stack import Channel, Classes, as_labels, as_stack
from beamforge.statistics import IntensityModel

SETTINGS = {
    "network": {"encoder": "resnet18", "options": {"encoder_depth": 3, "decoder_channels": [16, 8, 8]}},
    "training": {"epochs": 1, "batch": 2, "threads": 1, "device": "cpu"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 30)[:, None] * np.ones((1, 60), int)
    stack = as_stack((labels + rng.normal(0, 0.3, (1, 60, 60))).astype(np.float32))
    path = tmp_path_factory.mktemp("model") / "model.json"
    IntensityModel.fit(stack, as_labels(labels, ["a", "b"])).save(path)
    return path


def test_samples_that_are_trained_on_do_not_validate(model: Path, tmp_path: Path) -> None:
    data = simulate(model, 4, tmp_path / "train.zarr", seed=3, tile=32)
    same = simulate(model, 2, tmp_path / "same.zarr", seed=3, tile=32)
    with pytest.raises(InputError, match=r"same\.zarr holds the samples of .*train\.zarr.*seed"):
        train(data, tmp_path / "run", validation=same, settings=SETTINGS)
    other = simulate(model, 2, tmp_path / "other.zarr", seed=4, tile=32)
    assert train(data, tmp_path / "run", validation=other, settings=SETTINGS).classes.names == ("a", "b")


class Halves(Step, name="halves_for_verbs"):
    """Every other sample is bright in one half."""

    def apply(self, sample, parameters, rng):
        labels = np.zeros((32, 32), np.uint8)
        labels[:16] = rng.integers(2)
        image = (2.0 * labels + rng.normal(0, 0.3, labels.shape)).astype(np.float32)
        return sample.replace(image=image[None], labels=labels)


def test_a_classifier_is_trained_and_its_rate_found_on_stored_samples(tmp_path: Path) -> None:
    scenario = Scenario(steps=(Halves(),), classes=Classes(names=("dark", "bright")), channels=(Channel(),))
    write_dataset(scenario, tmp_path / "data.zarr", 40, seed=1, progress=False)
    settings = {
        "network": {"architecture": "classifier", "encoder": "test_resnet"},
        "training": {
            "precision": "fp32",
            "epochs": 12,
            "batch": 9,
            "learning_rate": 5e-3,
            "loss": "cross_entropy",
            "keep": "last",
        },
    }
    found = lr_range(tmp_path / "data.zarr", tmp_path / "range.png", settings=settings, low=1e-4, steps=30)
    assert (tmp_path / "range.png").read_bytes().startswith(b"\x89PNG")
    assert found.losses[0] > found.smoothed.min()
    classifier = train(tmp_path / "data.zarr", tmp_path / "run", settings=settings)
    assert isinstance(classifier, Classifier)
    tiles = TileClasses(SimulatedDataset(scenario, seed=2, length=50))
    assert evaluate_classifier(classifier, tiles).error.value < 0.1
    assert is_tile_classifier(tmp_path / "run" / "model")
    judged = evaluate_tiles(tmp_path / "run" / "model", tmp_path / "data.zarr")
    assert judged.tiles == 40
    halves = np.repeat(np.uint8([0, 1]), 48)[:, None].repeat(64, axis=1)
    image = 2.0 * halves + np.random.default_rng(3).normal(0, 0.3, (96, 64))
    save_stack(tmp_path / "stack.tif", as_stack(image.astype(np.float32)[None]))
    save_labels(tmp_path / "labels.tif", as_labels(halves, ["dark", "bright"]))
    on_measured = evaluate_tiles(tmp_path / "run" / "model", tmp_path / "stack.tif", tmp_path / "labels.tif")
    assert on_measured.confusion.sum(axis=1).tolist() == [2, 4]
    with pytest.raises(InputError, match=r"stack\.tif is not a simulated data set"):
        evaluate_tiles(tmp_path / "run" / "model", tmp_path / "stack.tif")
    with pytest.raises(InputError, match=r"range\.gif: expected a name that ends on one of png, svg, pdf"):
        lr_range(tmp_path / "data.zarr", tmp_path / "range.gif")
    dull = settings | {"tile_class": {"background": 0, "least": 600}}
    with pytest.raises(InputError, match="tiles shows bright"):
        train(tmp_path / "data.zarr", tmp_path / "other", settings=dull)
