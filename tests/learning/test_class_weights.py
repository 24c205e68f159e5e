from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, TrainingConfig, train
from beamforge.learning.class_weights import class_counts, weights_from_counts
from beamforge.learning.data import MeasuredTiles
from beamforge.stack import IGNORE, as_labels, as_stack


def test_counts_leave_ignored_pixels_out() -> None:
    images = [np.array([[0, 1, IGNORE]]), np.array([[1, 1], [IGNORE, 2]])]
    assert class_counts(images, 4).tolist() == [1, 3, 1, 0]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any))
def test_inverse_weights_make_classes_even_and_keep_the_mean(counts: list[int]) -> None:
    numbers = np.array(counts)
    weights = np.array(weights_from_counts(numbers, "inverse"))
    shares = (weights * numbers)[numbers > 0]
    np.testing.assert_allclose(shares, shares[0], rtol=1e-9)
    for weighting in ("inverse", "inverse_root"):
        weights = np.array(weights_from_counts(numbers, weighting))
        assert (weights * numbers).sum() / numbers.sum() == pytest.approx(1.0)
        assert (weights[numbers == 0] == weights.max()).all()


def test_a_class_ten_thousand_times_rarer_weighs_a_hundred_times_more_by_the_root() -> None:
    common, rare = weights_from_counts(np.array([10**8, 10**4]), "inverse_root")
    assert rare / common == pytest.approx(100.0)
    assert weights_from_counts(np.array([5, 1]), "equal") is None


def half_percent() -> MeasuredTiles:
    """A bright line of one class in noise of another."""
    image = np.random.default_rng(1).normal(0, 0.3, (1, 64, 64)).astype(np.float32)
    labels = np.zeros((64, 64), np.uint8)
    labels[20, 12:44] = 1
    image[0, labels == 1] += 1.0
    return MeasuredTiles(as_stack(image), as_labels(labels), 32, seed=1, length=8)


def test_weights_of_the_data_raise_what_a_short_training_finds_of_a_rare_class(tmp_path: Path) -> None:
    tiles = half_percent()
    network = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [16, 8, 8]})
    found = {}
    for weighting in ("equal", "inverse"):
        training = TrainingConfig(
            epochs=1, steps_per_epoch=12, batch=4, loss="cross_entropy", class_weights=weighting, keep="last",
            learning_rate=5e-3, precision="fp32",
        )  # fmt: skip
        model = train(network, training, tiles, {}, tmp_path / weighting, simulated=False)
        image, labels = tiles.arrays(3)
        odds = np.diff(model.log_probabilities(image[None])[0], axis=0)[0]
        found[weighting] = odds[labels == 1].mean()
    assert found["inverse"] > found["equal"] + 1.0


def test_a_weight_is_needed_for_each_class(tmp_path: Path) -> None:
    training = TrainingConfig(epochs=1, steps_per_epoch=1, loss="focal", class_weights=(1.0, 2.0, 3.0), keep="last")
    with pytest.raises(InputError, match="3 numbers, the data has the 2 classes"):
        train(NetworkConfig(), training, half_percent(), {}, tmp_path, simulated=False)
