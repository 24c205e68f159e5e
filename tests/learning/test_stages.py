"""Trainings in stages: what each trains, at which size and rate, and that they resume bitwise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from safetensors.torch import load_file

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, Scaling, TrainingConfig, read_events, train, train_classifier
from beamforge.learning.config import Stage
from beamforge.learning.course import Course
from beamforge.learning.freezing import resized
from beamforge.learning.schedule import learning_rate
from contracts.class_tiles import StripedTiles
from contracts.labelled_tiles import SmallTiles

SEGMENTER = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [16, 8, 8]})
CLASSIFIER = NetworkConfig(architecture="classifier", encoder="test_resnet")
SCALING = Scaling(offset=np.array([102.0, 0.4]), scale=np.array([2.0, 0.4]))


def training(*stages: dict, **settings) -> TrainingConfig:
    common = {"batch": 4, "threads": 1, "device": "cpu", "epochs": 1, "precision": "fp32", "loss": "cross_entropy"}
    return TrainingConfig.model_validate(common | {"stages": stages} | settings)


def classify(out: Path, config: TrainingConfig, data: StripedTiles | None = None):
    data = data or StripedTiles(seed=0)
    return train_classifier(CLASSIFIER, config, data, StripedTiles(seed=1, length=4), out, simulated=True)


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


small = st.integers(1, 9)
stage = st.fixed_dictionaries({"epochs": st.integers(1, 3), "batch": small, "steps_per_epoch": st.none() | small})


@given(length=small, endless=st.booleans(), stages=st.lists(stage, min_size=1, max_size=3))
def test_stages_go_on_in_the_data_where_the_last_one_stopped(length: int, endless: bool, stages: list[dict]) -> None:
    config = training(*stages)
    course = Course.of(config, length, endless)
    taken = [number for leg in course.legs for samples in leg.plan.batches(0) for number in samples]
    expected = sum(
        s["epochs"] * (s["steps_per_epoch"] * s["batch"] if s["steps_per_epoch"] else length) for s in stages
    )
    assert len(taken) == expected
    if endless:
        assert taken == list(range(expected))
    else:
        for first in range(0, expected - length + 1, length):
            assert sorted(taken[first : first + length]) == list(range(length))
    assert course.total_steps == sum(leg.plan.total_steps for leg in course.legs)
    ends = [done for done in range(1, course.total_steps + 1) for leg in course.legs if leg.first_step < done <= leg.end
            and leg.ends_epoch(done)]  # fmt: skip
    epochs = [next(leg for leg in course.legs if done <= leg.end).epoch(done) for done in ends]
    assert epochs == list(range(1, sum(s["epochs"] for s in stages) + 1))


STAGES = (
    {"epochs": 2, "train": "head", "side": 16, "learning_rate": 1e-2},
    {"epochs": 1, "batch": 6, "encoder_rate": 0.1, "schedule": "one_cycle"},
    {"epochs": 1, "side": 24, "schedule": "constant"},
)


def segment(out: Path, config: TrainingConfig, data: SmallTiles):
    return train(SEGMENTER, config, data, SmallTiles(seed=2, length=4), out, simulated=True, scaling=SCALING)


@pytest.mark.parametrize(
    ("run", "tiles", "endless", "settings"),
    [
        (classify, StripedTiles, True, {"checkpoint_steps": 1, "scaling": "standard"}),
        (classify, StripedTiles, True, {"optimizer": "sgd"}),
        (segment, SmallTiles, False, {"keep": "ema"}),
    ],
)
def test_interrupted_anywhere_it_ends_with_the_same_bytes(run, tiles, endless: bool, settings: dict, tmp_path) -> None:
    config = training(*STAGES, **settings)
    run(tmp_path / "whole", config, tiles(seed=0, endless=endless))
    rng, interruptions = default_rng(3), 0
    # What is looked at before the first step, the labels of a tile and the scaling, is looked at again.
    before = 1 if run is segment else 17
    while not (tmp_path / "parts" / "model").is_dir():
        data = tiles(seed=0, endless=endless, interrupt_at=before + 12 + int(rng.integers(1, 9)))
        try:
            run(tmp_path / "parts", config, data)
        except KeyboardInterrupt:
            interruptions += 1
            assert interruptions < 20, "no progress"
    assert interruptions >= 2
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    logs = [read_events(tmp_path / name / "events.jsonl") for name in ("parts", "whole")]
    assert [e | {"seconds": 0} for e in logs[0]] == [e | {"seconds": 0} for e in logs[1]]
    assert [event["stage"] for event in logs[0]] == [1, 1, 2, 3]
    assert [event["epoch"] for event in logs[0]] == [1, 2, 3, 4]


def test_a_single_stage_is_the_training_without_stages(tmp_path: Path) -> None:
    stated = {"epochs": 2, "batch": 8, "learning_rate": 3e-3, "schedule": "one_cycle"}
    classify(tmp_path / "stage", training(stated))
    classify(tmp_path / "plain", training(**stated))
    assert weights(tmp_path / "stage") == weights(tmp_path / "plain")


def test_a_head_stage_leaves_the_encoder_and_its_statistics_alone(tmp_path: Path) -> None:
    classify(tmp_path / "start", training(epochs=1, keep="last"))
    start = load_file(tmp_path / "start" / "model" / "model.safetensors")
    network = CLASSIFIER.model_copy(update={"weights": str(tmp_path / "start" / "model" / "model.safetensors")})
    config = training({"train": "head", "epochs": 2}, keep="last")
    model = train_classifier(
        network, config, StripedTiles(seed=4), StripedTiles(seed=1), tmp_path / "b", simulated=True
    )
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, start[name]) == ("encoder" in name), name


def test_the_encoder_moves_in_the_proportion_of_its_rate(tmp_path: Path) -> None:
    """A step of SGD without decay is the gradient times the rate."""
    settings = {"optimizer": "sgd", "weight_decay": 0, "schedule": "constant", "keep": "last", "learning_rate": 1e-3}
    moved = {}
    for name, stages in (("none", {"learning_rate": 1e-30}), ("full", {}), ("tenth", {"encoder_rate": 0.1})):
        model = classify(tmp_path / name, training({"steps_per_epoch": 1, **stages}, **settings))
        moved[name] = {n: p.detach().double() for n, p in model.network.named_parameters()}
    for name, first in moved["none"].items():
        factor = 0.1 if "encoder" in name else 1.0
        step, reference = moved["tenth"][name] - first, moved["full"][name] - first
        # The weights are float32 near 1: a step is known to their rounding, 6e-8.
        torch.testing.assert_close(step, factor * reference, rtol=0, atol=2.5e-7)
    assert max((moved["full"][n] - p).abs().max() for n, p in moved["none"].items() if "encoder" in n) > 1e-5


def test_each_stage_has_its_own_course_of_the_rate(tmp_path: Path) -> None:
    config = training({"epochs": 2, "learning_rate": 1e-2}, {"epochs": 1, "schedule": "one_cycle"}, learning_rate=1e-4)
    classify(tmp_path, config)
    rates = [event["learning_rate"] for event in read_events(tmp_path / "events.jsonl")]
    first = TrainingConfig(learning_rate=1e-2)
    second = TrainingConfig(learning_rate=1e-4, schedule="one_cycle")
    assert rates == [learning_rate(first, 3, 8), learning_rate(first, 7, 8), learning_rate(second, 3, 4)]


def test_shrunk_pixels_are_means_and_labels_those_in_the_middle() -> None:
    images = torch.from_numpy(default_rng(1).normal(size=(2, 3, 12, 18)).astype(np.float32))
    labels = torch.from_numpy(default_rng(2).integers(0, 5, (2, 12, 18)))
    smaller, kept = resized(images, labels, 4)
    expected = images.numpy().reshape(2, 3, 4, 3, 6, 3).mean(axis=(3, 5))
    np.testing.assert_allclose(smaller, expected, atol=1e-6)
    np.testing.assert_array_equal(kept, labels[:, 1::3, 1::3])
    of_tiles = labels[:, :1, :1]
    assert resized(images, of_tiles, 4)[1] is of_tiles
    assert resized(images, labels, 12)[0] is images
    with pytest.raises(InputError, match="tiles of 16 px, the data has tiles of 12 px"):
        resized(images, labels, 16)


def test_the_network_meets_tiles_of_the_stages_size(tmp_path: Path, monkeypatch) -> None:
    seen: list[tuple[int, bool]] = []
    import beamforge.learning.network as module

    forward = module.Network.forward

    def watched(self, images):
        seen.append((images.shape[-1], torch.is_grad_enabled()))
        return forward(self, images)

    monkeypatch.setattr(module.Network, "forward", watched)
    classify(tmp_path, training({"side": 16, "steps_per_epoch": 2}, {"side": 24, "steps_per_epoch": 2}))
    assert [side for side, trained in seen if trained] == [16, 16, 24, 24]
    assert {side for side, trained in seen if not trained} == {32}


def test_what_makes_no_stage_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no encoder_rate"):
        training({"train": "head", "encoder_rate": 0.1})
    with pytest.raises(ValueError, match="set warmup to 0"):
        training({"schedule": "one_cycle", "warmup": 4})
    assert Stage(schedule="one_cycle").applied_to(TrainingConfig(warmup=5)).warmup == 0
    plain = NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": 2})
    with pytest.raises(InputError, match="attention_unet has no encoder"):
        train(plain, training({"train": "head"}), SmallTiles(seed=0), SmallTiles(seed=1), tmp_path, simulated=True)
    classify(tmp_path / "run", training({"epochs": 1}))
    with pytest.raises(InputError, match=r"training\.stages was .*'epochs': 1.*, now .*'epochs': 2"):
        classify(tmp_path / "run", training({"epochs": 2}))
