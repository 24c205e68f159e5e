import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from safetensors.torch import load_file

from beamforge.errors import BeamforgeError, InputError
from beamforge.learning import NetworkConfig, Scaling, Segmenter, TrainingConfig, read_events, train
from beamforge.predictor import Predictor
from beamforge.stack import Classes
from contracts.labelled_tiles import SmallTiles

NETWORK = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [32, 16, 8]})
QUICK = TrainingConfig(epochs=3, batch=4, threads=1, device="cpu")
SCALING = Scaling(offset=np.array([102.0, 0.4]), scale=np.array([2.0, 0.4]))
VALIDATION = {"simulated": SmallTiles(seed=1, length=6), "measured": SmallTiles(seed=2, length=5, noise=2.0)}


def changed(**settings) -> TrainingConfig:
    return TrainingConfig.model_validate(QUICK.model_dump() | settings)


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def without_time(folder: Path) -> list[dict]:
    return [
        {key: value for key, value in event.items() if key != "seconds"}
        for event in read_events(folder / "events.jsonl")
    ]


def run(out: Path, training: TrainingConfig = QUICK, data: SmallTiles | None = None, **options) -> Segmenter:
    return train(NETWORK, training, data or SmallTiles(seed=0), VALIDATION, out, simulated=True, **options)


def run_with_interruptions(out: Path, training: TrainingConfig, endless: bool, rng: np.random.Generator) -> int:
    """Press Ctrl-C after a random number of samples, little more than an epoch's, until the training is through."""
    samples = training.steps_per_epoch * training.batch if training.steps_per_epoch else 12
    interruptions = 0
    while True:
        data = SmallTiles(seed=0, endless=endless, interrupt_at=samples + int(rng.integers(1, 7)))
        try:
            run(out, training, data, scaling=SCALING)
        except KeyboardInterrupt:
            interruptions += 1
            assert interruptions < 20, "no progress"
        else:
            return interruptions


@pytest.mark.parametrize(
    ("training", "endless"),
    [
        (changed(precision="fp32"), True),
        (changed(precision="bf16"), True),
        (changed(keep="ema", optimizer="sgd", checkpoint_steps=2, batch=5), False),
        (changed(keep="last", schedule="one_cycle", checkpoint_steps=1, seed=4), True),
        (
            changed(optimizer="adam", warmup=3, gradient_clip=0.5, steps_per_epoch=4),
            False,
        ),
    ],
)
def test_interrupted_training_ends_with_the_same_bytes(training: TrainingConfig, endless: bool, tmp_path: Path) -> None:
    run(tmp_path / "whole", training, SmallTiles(seed=0, endless=endless), scaling=SCALING)
    interruptions = run_with_interruptions(tmp_path / "parts", training, endless, default_rng(training.seed))
    assert interruptions >= 2
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    assert without_time(tmp_path / "parts") == without_time(tmp_path / "whole")
    seconds = [event["seconds"] for event in read_events(tmp_path / "parts" / "events.jsonl")]
    assert seconds == sorted(seconds)


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    for workers in (0, 1, 3):
        run(tmp_path / str(workers), changed(workers=workers, epochs=2))
    assert weights(tmp_path / "0") == weights(tmp_path / "1") == weights(tmp_path / "3")


def test_learns_and_writes_down_what_it_reached(tmp_path: Path) -> None:
    seen: list[dict] = []
    training = changed(epochs=8, learning_rate=5e-3, monitor="measured")
    segmenter = run(tmp_path, training, on_epoch=seen.append)
    events = read_events(tmp_path / "events.jsonl")
    assert events == seen
    assert [event["epoch"] for event in events] == list(range(1, 9))
    assert [event["step"] for event in events] == list(range(3, 25, 3))
    assert events[-1]["validation"]["simulated"]["dice"] > 0.9
    measured = [event["validation"]["measured"]["dice"] for event in events]
    best = [event["epoch"] for event in events if event["best"]][-1]
    assert measured[best - 1] == max(measured)
    # The kept weights reach the Dice of the best epoch, counted here by hand.
    confusion = np.zeros((3, 3))
    for number in range(5):
        image, labels = VALIDATION["measured"][number]
        predicted = segmenter.log_probabilities(image.numpy()[None])[0].argmax(axis=0)
        counted = labels.numpy() != 255
        np.add.at(confusion, (labels.numpy()[counted], predicted[counted]), 1)
    dice = 2 * confusion.diagonal() / (confusion.sum(0) + confusion.sum(1))
    assert dice.mean() == pytest.approx(max(measured), rel=1e-6)


def test_the_result_is_a_predictor_that_knows_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("measured")
    segmenter = run(tmp_path / "out", changed(epochs=1), inputs=[tmp_path / "input.txt"])
    assert isinstance(segmenter, Predictor)
    assert segmenter.classes == SmallTiles.classes
    assert segmenter.channels == SmallTiles.channels
    assert segmenter.tile == 32
    assert 1 <= segmenter.halo <= 16
    source = segmenter.description.provenance
    assert source["simulated"] is True
    assert source["seed"] == 0
    assert list(source["inputs"]) == [str(tmp_path / "input.txt")]
    assert source["recipe"]["network"]["encoder"] == "resnet18"


def test_keep_last_and_average_differ_from_each_other(tmp_path: Path) -> None:
    last = changed(keep="last")
    run(tmp_path / "last", last)
    run(tmp_path / "ema", changed(keep="ema"))
    checkpoint = load_file(tmp_path / "last" / "checkpoint.safetensors")
    for name, tensor in load_file(tmp_path / "last" / "model" / "model.safetensors").items():
        assert torch.equal(tensor, checkpoint[f"network.{name}"])
    # Both walked the same way; only what is kept differs.
    averaged = load_file(tmp_path / "ema" / "checkpoint.safetensors")
    kept = load_file(tmp_path / "ema" / "model" / "model.safetensors")
    assert all(torch.equal(averaged[name], checkpoint[name]) for name in checkpoint if name.startswith("network."))
    assert all(torch.equal(kept[name], averaged[f"average.{name}"]) for name in kept)
    assert weights(tmp_path / "ema") != weights(tmp_path / "last")


def test_a_finished_training_is_only_read(tmp_path: Path) -> None:
    first = run(tmp_path, changed(epochs=1))
    image = SmallTiles(seed=5)[0][0].numpy()[None]
    again = run(tmp_path, changed(epochs=1), SmallTiles(seed=0, interrupt_at=0))
    assert again.log_probabilities(image).tobytes() == first.log_probabilities(image).tobytes()


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    run(tmp_path, changed(epochs=1))
    with pytest.raises(InputError, match=r"training\.epochs was 1, now 2"):
        run(tmp_path, changed(epochs=2))
    with pytest.raises(InputError, match=r"data\.length was 12, now 9"):
        run(tmp_path, changed(epochs=1), SmallTiles(seed=0, length=9))


def test_a_training_does_not_go_on_with_other_data(tmp_path: Path) -> None:
    data = tmp_path / "samples"
    data.write_text("first")
    once = changed(epochs=1)
    run(tmp_path / "run", once, inputs=[data], origin={"trained_on": "tiles"})
    kept = json.loads((tmp_path / "run" / "model" / "model.json").read_text())["provenance"]
    assert kept["inputs"] == {str(data): hashlib.sha256(b"first").hexdigest()}
    assert kept["trained_on"] == "tiles"
    run(tmp_path / "run", once, inputs=[data])
    data.write_text("other")
    with pytest.raises(InputError, match=r"other settings .*inputs"):
        run(tmp_path / "run", once, inputs=[data])


def test_a_loss_that_is_not_finite_stops_with_the_settings_and_leaves_the_checkpoint(tmp_path: Path) -> None:
    wild = changed(optimizer="sgd", learning_rate=1e18, schedule="constant")
    with pytest.raises(BeamforgeError, match=r"the loss is (inf|nan) in step \d of 9 \(learning rate 1e\+18"):
        run(tmp_path, wild)


def test_global_state_is_left_alone(tmp_path: Path) -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    run(tmp_path, changed(epochs=1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run(tmp_path, changed(epochs=1))
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"checkpoint\.safetensors is not a readable checkpoint"):
        run(tmp_path, changed(epochs=1))


def test_a_half_written_last_line_is_replaced(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", QUICK, SmallTiles(seed=0, interrupt_at=12 + 15))
    with (tmp_path / "parts" / "events.jsonl").open("a") as stream:
        stream.write('{"event": "epoch", "epo')
    run(tmp_path / "parts")
    assert without_time(tmp_path / "parts") == without_time(tmp_path / "whole")
    lines = (tmp_path / "parts" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_data_that_does_not_go_together_is_refused(tmp_path: Path) -> None:
    other = SmallTiles(seed=1)
    other.classes = Classes(names=("a", "b", "c"))  # type: ignore[misc]
    with pytest.raises(InputError, match="'other' has the classes"):
        train(NETWORK, QUICK, SmallTiles(seed=0), {"other": other}, tmp_path, simulated=True)
    with pytest.raises(InputError, match="no validation data"):
        train(NETWORK, QUICK, SmallTiles(seed=0), {}, tmp_path, simulated=True)
    with pytest.raises(InputError, match="did you mean 'measured'"):
        run(tmp_path, changed(monitor="measurd"))
    with pytest.raises(InputError, match="every pixel of the validation data"):
        train(NETWORK, QUICK, SmallTiles(seed=0), SmallTiles(seed=1, ignored=1.0), tmp_path, simulated=True)


def test_a_single_tiny_tile_per_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one tile of 8×8 px leaves one value per channel"):
        train(
            NETWORK,
            changed(batch=1),
            SmallTiles(seed=0, side=8),
            VALIDATION,
            tmp_path,
            simulated=True,
        )
