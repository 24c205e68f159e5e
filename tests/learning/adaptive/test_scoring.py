import math

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.special import log_softmax
from sklearn.metrics import jaccard_score, log_loss

from beamforge.learning.adaptive.parameters import numeric_parameters
from beamforge.learning.adaptive.scoring import (
    SCORES,
    calibrated_likelihood,
    log_likelihood,
    mean_iou,
    score_samples,
    worst,
)
from beamforge.learning.data import SimulatedDataset
from beamforge.learning.tile_classes import TileClasses
from contracts.small_grains import small_grains

RNG = default_rng(6)
LOG_PROBABILITIES = log_softmax(RNG.normal(0, 1.5, (3, 12, 14)), axis=0).astype(np.float32)
LABELS = RNG.integers(0, 3, (12, 14)).astype(np.uint8)
LABELS[:2] = 255
COUNTED = LABELS != 255


def test_mean_iou_is_that_of_scikit_learn() -> None:
    expected = jaccard_score(LABELS[COUNTED], LOG_PROBABILITIES.argmax(0)[COUNTED], average="macro")
    assert mean_iou(LOG_PROBABILITIES, LABELS) == pytest.approx(expected, rel=1e-12)


def test_classes_that_the_truth_lacks_do_not_count() -> None:
    labels = np.where(LABELS == 2, 255, LABELS)
    found = LOG_PROBABILITIES.argmax(0)
    counted = labels != 255
    expected = jaccard_score(labels[counted], found[counted], labels=[0, 1], average="macro")
    assert mean_iou(LOG_PROBABILITIES, labels) == pytest.approx(expected, rel=1e-12)


def test_log_likelihood_is_that_of_scikit_learn() -> None:
    probabilities = np.exp(LOG_PROBABILITIES[:, COUNTED].T.astype(np.float64))
    expected = -log_loss(LABELS[COUNTED], probabilities / probabilities.sum(1, keepdims=True))
    assert log_likelihood(LOG_PROBABILITIES, LABELS) == pytest.approx(expected, rel=1e-6)


def test_being_wrong_is_no_failure_where_the_network_knows_that_it_may_be() -> None:
    rng = default_rng(0)
    chance = np.full((2, 200, 200), np.log(0.5), np.float32)
    hidden = rng.integers(0, 2, (200, 200)).astype(np.uint8)
    assert log_likelihood(chance, hidden) == pytest.approx(np.log(0.5), rel=1e-6)
    assert calibrated_likelihood(chance, hidden) == pytest.approx(0.0, abs=1e-6)
    sure = np.log(np.stack([np.full((200, 200), 0.9), np.full((200, 200), 0.1)])).astype(np.float32)
    # Right in 9 of 10 pixels, as it expects, and right in half of them.
    often = (rng.random((200, 200)) < 0.1).astype(np.uint8)
    assert calibrated_likelihood(sure, often) == pytest.approx(0.0, abs=4 * 0.3 * np.log(9) / 200)
    assert calibrated_likelihood(sure, hidden) == pytest.approx(-0.4 * np.log(9), abs=4 * 0.5 * np.log(9) / 200)


@pytest.mark.parametrize("name", SCORES)
def test_nothing_to_judge_gives_no_score(name) -> None:
    assert math.isnan(SCORES[name](LOG_PROBABILITIES, np.full_like(LABELS, 255)))


def test_the_worst_come_first_and_those_without_a_score_never() -> None:
    scores = np.array([0.5, np.nan, 0.1, 0.9, 0.1, np.nan])
    assert worst(scores, 3).tolist() == [2, 4, 0]
    assert worst(scores, 10).tolist() == [2, 4, 0, 3]


class Thresholds:
    """Calls what is darker than 90 a boundary, and tiles with a mean above 100 bright."""

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        return log_softmax(np.stack([0.1 * (images[:, 0] - 90), np.zeros_like(images[:, 0])], axis=1), axis=1)


class WholeTiles(Thresholds):
    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        return super().log_probabilities(images).mean(axis=(2, 3))


def test_each_sample_is_scored_by_itself_whatever_the_batch() -> None:
    data = SimulatedDataset(small_grains(), 4, 7)
    scores = score_samples(Thresholds(), data, mean_iou, batch=3)
    expected = []
    for image, labels in data:
        found = Thresholds().log_probabilities(image.numpy()[None])[0]
        expected.append(mean_iou(found, labels.numpy()))
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_tiles_with_one_class_are_scored_too() -> None:
    data = TileClasses(SimulatedDataset(small_grains(), 4, 5))
    scores = score_samples(WholeTiles(), data, log_likelihood, batch=2)
    assert scores.shape == (5,)
    assert (scores < 0).all()


def test_numbers_that_vary_become_a_table() -> None:
    samples = [
        {"draws": {"a": {"x": value, "on": number > 2, "list": [1], "fixed": 2.0}, "b": {"n": number}}}
        for value, number in ((0.5, 1), (0.7, 3))
    ]
    table = numeric_parameters(samples)
    found = {name: values.tolist() for name, values in table.items()}
    assert found == {"a.x": [0.5, 0.7], "a.on": [0.0, 1.0], "b.n": [1.0, 3.0]}
    assert numeric_parameters([]) == {}


def test_settings_name_the_nearest_score() -> None:
    from beamforge.learning.adaptive.config import AdaptiveConfig

    with pytest.raises(ValueError, match="did you mean 'mean_iou'"):
        AdaptiveConfig(score="mean_io")
    assert AdaptiveConfig(scored=250, worst=0.1, variations=4).samples == 100
