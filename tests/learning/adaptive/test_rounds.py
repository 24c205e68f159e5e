import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, TrainingConfig, train, train_classifier
from beamforge.learning.adaptive.config import AdaptiveConfig
from beamforge.learning.adaptive.rounds import FineTuning, Learner, mixed, read_scores
from beamforge.learning.adaptive.scoring import mean_iou, score_samples
from beamforge.learning.classifier import Classifier
from beamforge.learning.data import Part, SimulatedDataset, StoredDataset
from beamforge.learning.tile_classes import DrawnClass, TileClasses
from beamforge.simulation.dataset import open_dataset
from beamforge.stack import Classes
from contracts.small_grains import small_grains

SCENARIO = small_grains()
SEEN = Part(SimulatedDataset(SCENARIO, 1, 8), 0, 8)
NETWORK = NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": 2})
TRAINING = TrainingConfig(epochs=1, steps_per_epoch=3, batch=4, keep="last", threads=1, device="cpu", precision="fp32")
CONFIG = AdaptiveConfig(rounds=2, scored=20, worst=0.2, variations=2, spread=0.05, old_share=0.5)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    out = tmp_path_factory.mktemp("start")
    train(NETWORK, TRAINING.model_copy(update={"steps_per_epoch": 20}), SEEN, {}, out, simulated=True)
    return out / "model"


def fine_tuning(seed: int = 7) -> FineTuning:
    return FineTuning(SCENARIO, CONFIG, TRAINING, seed, progress=False)


@pytest.fixture(scope="module")
def done(start, tmp_path_factory):
    out = tmp_path_factory.mktemp("rounds")
    for sampling in ("adaptive", "random"):
        fine_tuning().run(start, SEEN, {}, out / sampling, sampling)
    return out


def weights(folder) -> bytes:
    return (folder / "training" / "model" / "model.safetensors").read_bytes()


def test_the_samples_that_the_network_does_worst_on_are_chosen(start, done) -> None:
    from beamforge.learning import Segmenter

    scored = read_scores(done / "adaptive" / "round-1")
    expected = score_samples(Segmenter.load(start), SimulatedDataset(SCENARIO, scored.seed, 20), mean_iou)
    np.testing.assert_allclose(scored.scores, expected, rtol=1e-12)
    assert scored.chosen == tuple(np.argsort(expected, kind="stable")[:4].tolist())
    noise = [SCENARIO(scored.seed, n).parameters["draws"]["grain_greylevels"]["noise"] for n in range(20)]
    np.testing.assert_allclose(scored.parameters["grain_greylevels.noise"], noise)


def test_new_samples_lie_near_the_chosen_ones(done) -> None:
    scored = read_scores(done / "adaptive" / "round-1")
    stored = open_dataset(done / "adaptive" / "round-1" / "samples.zarr")
    assert len(stored) == 8
    for number in range(8):
        parent = scored.parameters["grain_greylevels.noise"][scored.chosen[number % 4]]
        noise = stored.parameters(number)["draws"]["grain_greylevels"]["noise"]
        assert abs(noise - parent) <= 0.05 * 59 + 1e-9


def test_the_second_round_scores_the_network_of_the_first(done) -> None:
    first, second = (read_scores(done / "adaptive" / f"round-{n}") for n in (1, 2))
    assert first.seed != second.seed
    assert weights(done / "adaptive" / "round-1") != weights(done / "adaptive" / "round-2")


def test_the_rival_differs_in_where_its_samples_lie_and_in_nothing_else(done) -> None:
    random = open_dataset(done / "random" / "round-1" / "samples.zarr")
    assert len(random) == 8
    assert not (done / "random" / "round-1" / "scores.json").exists()
    seed = random.attrs["seed"]
    assert seed == open_dataset(done / "adaptive" / "round-1" / "samples.zarr").attrs["seed"]
    np.testing.assert_array_equal(random[3].image, SCENARIO(seed, 3).image)


def test_scored_images_do_not_stay_on_the_disk(done) -> None:
    assert not list(done.rglob("scored.zarr"))


def test_an_interrupted_fine_tuning_goes_on_to_the_same_weights(start, done, tmp_path, monkeypatch) -> None:
    drawn = 0
    simulate = type(SCENARIO).__call__

    def interrupted(self, seed, index):
        nonlocal drawn
        drawn += 1
        if drawn in (5, 24, 30, 60):
            raise KeyboardInterrupt
        return simulate(self, seed, index)

    monkeypatch.setattr(type(SCENARIO), "__call__", interrupted)
    interruptions = 0
    while True:
        try:
            fine_tuning().run(start, SEEN, {}, tmp_path, "adaptive")
        except KeyboardInterrupt:
            interruptions += 1
        else:
            break
    assert interruptions == 4
    assert weights(tmp_path / "round-2") == weights(done / "adaptive" / "round-2")


def test_old_and_new_samples_make_up_their_shares(done) -> None:
    new = StoredDataset(done / "adaptive" / "round-1" / "samples.zarr")
    half = mixed(SEEN, new, 0.5, 3)
    assert len(half) == 16
    old = {half[number][0].numpy().tobytes() for number in range(8)}
    assert old == {SEEN[number][0].numpy().tobytes() for number in range(8)}
    assert len(mixed(SEEN, new, 0.0, 3)) == 8
    assert len(mixed(SEEN, new, 0.75, 3)) == 32


def test_a_scenario_of_other_classes_is_refused(start, tmp_path) -> None:
    other = SCENARIO.model_copy(update={"classes": Classes(names=("grain", "edge"))})
    with pytest.raises(InputError, match="edge"):
        FineTuning(other, CONFIG, TRAINING, 0, progress=False).run(start, SimulatedDataset(other, 1, 8), {}, tmp_path)


def test_classifiers_are_fine_tuned_as_well(tmp_path) -> None:
    rule = DrawnClass(step="voronoi_grains", parameter="relaxation", values={f"relaxed {n}": n for n in range(4)})
    network = NetworkConfig(architecture="classifier", options={"encoder": "resnet10t"})
    train_classifier(network, TRAINING, TileClasses(SEEN, rule), {}, tmp_path / "start", simulated=True)
    config = AdaptiveConfig(scored=20, worst=0.2, variations=2, score="log_likelihood")
    learner = Learner(train_classifier, Classifier.load, lambda samples: TileClasses(samples, rule))
    tuned = FineTuning(SCENARIO, config, TRAINING, 3, learner, progress=False).run(
        tmp_path / "start" / "model", SEEN, {}, tmp_path / "rounds"
    )
    scored = read_scores(tmp_path / "rounds" / "round-1")
    assert (scored.scores < 0).all()
    assert scored.chosen == tuple(np.argsort(scored.scores, kind="stable")[:4].tolist())
    assert isinstance(tuned, Classifier)
