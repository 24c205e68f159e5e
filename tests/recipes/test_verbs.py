"""Verbs guard against what a file alone cannot show."""

from pathlib import Path

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.recipes.verbs import simulate, train
from beamforge.stack import as_labels, as_stack
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
