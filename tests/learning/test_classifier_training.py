"""Classifiers go through the same training as segmenters."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from beamforge.errors import InputError
from beamforge.evaluation.classification import evaluate_classifier
from beamforge.learning import (
    Classifier,
    NetworkConfig,
    Segmenter,
    TrainingConfig,
    read_events,
    train,
    train_classifier,
)
from beamforge.stack import as_stack
from contracts.class_tiles import StripedTiles
from contracts.labelled_tiles import SmallTiles

NETWORK = NetworkConfig(architecture="classifier", encoder="test_resnet")
QUICK = TrainingConfig(epochs=2, batch=4, threads=1, device="cpu", loss="cross_entropy", precision="fp32")
VALIDATION = {"tiles": StripedTiles(seed=1, length=6)}


def changed(**settings) -> TrainingConfig:
    return TrainingConfig.model_validate(QUICK.model_dump() | settings)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("striped")
    training = changed(epochs=8, batch=8, steps_per_epoch=8, learning_rate=5e-3, schedule="one_cycle")
    train_classifier(NETWORK, training, StripedTiles(seed=0), StripedTiles(seed=1, length=40), out, simulated=True)
    return out


def test_learns_and_is_judged(trained: Path) -> None:
    classifier = Classifier.load(trained / "model", "cpu")
    tiles = StripedTiles(seed=7, length=100)
    scores = evaluate_classifier(classifier, tiles)
    assert scores.tiles == 100
    assert scores.error.value < 0.05
    assert scores.error.interval is not None
    assert scores.error.interval[0] <= scores.error.value < scores.error.interval[1]
    log = read_events(trained / "events.jsonl")[-1]["validation"]["validation"]
    judged = evaluate_classifier(classifier, StripedTiles(seed=1, length=40))
    best = max(event["validation"]["validation"]["dice"] for event in read_events(trained / "events.jsonl"))
    found, confusion = judged.confusion.diagonal(), judged.confusion
    assert best == pytest.approx((2 * found / (confusion.sum(0) + confusion.sum(1))).mean())
    assert set(log) == {"loss", "dice", "miou", "error"}


def test_tiles_of_an_image_are_what_single_tiles_are(trained: Path) -> None:
    classifier = Classifier.load(trained / "model", "cpu")
    assert classifier.tile == 32
    image = np.random.default_rng(3).normal(100, 1, (1, 80, 64)).astype(np.float32)
    image[0, 40:41] += 4
    probabilities = classifier.tile_probabilities(as_stack(image), batch=2)
    assert probabilities.dims == ("class", "y", "x")
    assert probabilities.coords["class"].values.tolist() == ["free", "line"]
    assert probabilities.coords["y"].values.tolist() == [0, 32, 48]
    np.testing.assert_allclose(probabilities.sum("class"), 1, rtol=1e-6)
    alone = classifier.log_probabilities(image[None, :, 48:80, 32:64])
    np.testing.assert_allclose(probabilities.sel(y=48, x=32), np.exp(alone[0]), atol=1e-6)
    assert (probabilities.sel({"class": "line"}) > 0.5).values.tolist() == [[False] * 2, [True] * 2, [False] * 2]
    with pytest.raises(InputError, match="the image is 80×64 px, smaller than a tile of 100 px"):
        classifier.tile_probabilities(as_stack(image), tile=100)


def test_a_model_says_what_it_is_for(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.json is a model for classification, expected one for segmentation"):
        Segmenter.load(trained / "model")
    again = Classifier.load(trained / "model", "cpu")
    again.save(tmp_path / "copy")
    assert (tmp_path / "copy" / "model.safetensors").read_bytes() == (
        trained / "model" / "model.safetensors"
    ).read_bytes()
    assert again.description.provenance["simulated"] is True


@pytest.mark.parametrize("endless", [True, False])
def test_interrupted_training_ends_with_the_same_bytes(endless: bool, tmp_path: Path) -> None:
    training = changed(checkpoint_steps=1, class_weights="inverse")

    def run(out: Path, data: StripedTiles) -> None:
        train_classifier(NETWORK, training, data, VALIDATION, out, simulated=True)

    run(tmp_path / "whole", StripedTiles(seed=0, endless=endless))
    interruptions = 0
    # 16 tiles for the scaling, one to look at its labels and 16 for the weights come before the first step.
    while not (tmp_path / "parts" / "model").is_dir():
        try:
            run(tmp_path / "parts", StripedTiles(seed=0, endless=endless, interrupt_at=16 + 1 + 16 + 9))
        except KeyboardInterrupt:
            interruptions += 1
            assert interruptions < 20, "no progress"
    assert interruptions >= 2
    whole, parts = (tmp_path / name / "model" / "model.safetensors" for name in ("whole", "parts"))
    assert parts.read_bytes() == whole.read_bytes()


def test_fine_tuning_starts_from_the_weights_of_another_model(trained: Path, tmp_path: Path) -> None:
    file = trained / "model" / "model.safetensors"
    tuned = changed(epochs=1, steps_per_epoch=1, learning_rate=1e-12, weight_decay=0, keep="last", optimizer="sgd")
    network = NETWORK.model_copy(update={"weights": str(file)})
    scaling = Classifier.load(trained / "model").description.scaling
    model = train_classifier(network, tuned, StripedTiles(seed=5), {}, tmp_path, simulated=False, scaling=scaling)
    before = load_file(file)
    for name, tensor in model.network.state_dict().items():
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_allclose(tensor, before[name], atol=1e-9)
    assert model.description.scaling == scaling or np.array_equal(model.description.scaling.scale, scaling.scale)


def test_what_is_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'classifier' is for classification; segmentation needs one of .*unet"):
        train(NETWORK, QUICK, SmallTiles(seed=0), {}, tmp_path, simulated=True)
    with pytest.raises(InputError, match="'unet' is for segmentation; classification needs one of classifier"):
        train_classifier(NetworkConfig(), QUICK, StripedTiles(seed=0), VALIDATION, tmp_path, simulated=True)
    last = changed(keep="last")
    with pytest.raises(InputError, match=r"labels of \(32, 32\) px, classification needs one class"):
        train_classifier(NETWORK, last, SmallTiles(seed=0), {}, tmp_path / "a", simulated=True)
    small = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [8, 8, 8]})
    with pytest.raises(InputError, match=r"32, 32\) px and labels of \(1, 1\) px, segmentation needs"):
        train(small, last, StripedTiles(seed=0), {}, tmp_path / "b", simulated=True)


def test_weights_and_scaling_look_at_all_of_data_sorted_by_class(tmp_path: Path) -> None:
    class Sorted(StripedTiles):
        def __getitem__(self, index: int):
            image, label = super().__getitem__(2 * index if index < 72 else 2 * index + 1)
            return image + 50 * label, label

    data = Sorted(seed=0, length=96, endless=False)
    training = changed(epochs=1, steps_per_epoch=1, class_weights="inverse", keep="last", scaling="standard")
    model = train_classifier(NETWORK, training, data, {}, tmp_path, simulated=True)
    # A quarter of the tiles is 50 brighter.
    assert model.description.scaling.offset[0] == pytest.approx(100 + 50 / 4, abs=1)
