"""A training in a process of its own that is killed without warning."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from numpy.random import default_rng

from beamforge.learning import NetworkConfig, TrainingConfig, read_events, train
from contracts.labelled_tiles import SmallTiles

NETWORK = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [32, 16, 8]})
TRAINING = TrainingConfig(epochs=8, batch=4, threads=1, device="cpu", checkpoint_steps=2, keep="best")
PRELOADED = ["beamforge.learning.training", "segmentation_models_pytorch", "contracts.labelled_tiles"]


def train_in(out: str) -> None:
    train(NETWORK, TRAINING, SmallTiles(seed=0), SmallTiles(seed=1, length=6), out, simulated=True)


@pytest.mark.slow
def test_killed_at_random_points_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)

    def start(out: str):
        process = context.Process(target=train_in, args=(str(tmp_path / out),))
        process.start()
        return process

    start("warm-up").join()
    began = time.monotonic()
    whole = start("whole")
    whole.join()
    seconds = time.monotonic() - began
    assert whole.exitcode == 0

    rng = default_rng()  # other points in every run: none may matter
    kills = 0
    while True:
        process = start("parts")
        process.join(timeout=seconds * rng.uniform(0.05, 0.6) if kills < 8 else None)
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
            continue
        assert process.exitcode == 0
        break
    assert kills >= 1
    for name in ("model/model.safetensors", "best.safetensors"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    events, expected = (read_events(tmp_path / out / "events.jsonl") for out in ("parts", "whole"))
    assert [event["epoch"] for event in events] == list(range(1, 9))
    for event, other in zip(events, expected, strict=True):
        assert event | {"seconds": 0} == other | {"seconds": 0}
