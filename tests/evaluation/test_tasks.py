"""Scores of tasks, averaged over images."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap
from beamforge.evaluation.connectivity import cl_dice
from beamforge.evaluation.tasks import TASKS, judge_task
from beamforge.stack import Classes

CLASSES = Classes(names=("background", "spot", "root"))


def images() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = default_rng(4)
    pairs = []
    for share in (0.5, 0.7, 0.9):
        truth = (rng.random((40, 50)) < 0.1).astype(np.uint8)
        found = np.where(rng.random(truth.shape) < share, truth, 0).astype(np.uint8)
        pairs.append((found, truth))
    return pairs


def test_f1_is_the_mean_over_images() -> None:
    expected = []
    for found, truth in images():
        both = np.sum((found == 1) & (truth == 1))
        expected.append(2 * both / (np.sum(found == 1) + np.sum(truth == 1)))
    score = judge_task(TASKS["spots"](), images(), CLASSES)["F1"]
    assert score is not None
    assert score.value == pytest.approx(np.mean(expected))
    assert score.interval is not None
    assert score.interval[0] < score.value < score.interval[1]


def test_intervals_are_the_quantiles_of_means_of_resampled_images() -> None:
    values = [judge_task(TASKS["spots"](), [pair], CLASSES)["recall"].value for pair in images()]
    score = judge_task(TASKS["spots"](), images(), CLASSES, Bootstrap(resamples=20_000))["recall"]
    means = default_rng(0).choice(values, (20_000, 3)).mean(axis=1)
    np.testing.assert_allclose(score.interval, np.quantile(means, [0.025, 0.975]), atol=0.02)


def test_pixels_that_the_truth_ignores_count_nowhere() -> None:
    found, truth = images()[0]
    plain = judge_task(TASKS["spots"](), [(found[:, :30], truth[:, :30])], CLASSES)
    hidden = truth.copy()
    hidden[:, 30:] = 255
    with_hidden = judge_task(TASKS["spots"](), [(np.where(hidden == 255, 1, found), hidden)], CLASSES)
    assert with_hidden["F1"].value == pytest.approx(plain["F1"].value)
    assert with_hidden["precision"].value == pytest.approx(plain["precision"].value)


def test_connectivity_is_that_of_the_named_class() -> None:
    truth = np.zeros((40, 60), np.uint8)
    truth[10:13, 5:50] = 2
    truth[30:33, 5:50] = 1
    found = truth.copy()
    found[10:13, 30:] = 0
    score = judge_task(TASKS["connectivity"](of="root"), [(found, truth)], CLASSES)["clDice"]
    assert score.value == pytest.approx(cl_dice(found == 2, truth == 2))
    assert score.interval is None


def test_an_image_without_the_class_says_nothing() -> None:
    empty = np.zeros((20, 20), np.uint8)
    scores = judge_task(TASKS["connectivity"](of="root"), [(empty, empty)], CLASSES)
    assert set(scores.values()) == {None}


def test_an_unknown_class_is_named() -> None:
    empty = np.zeros((20, 20), np.uint8)
    with pytest.raises(InputError, match=r"unknown class 'rot'; did you mean 'root'\?"):
        judge_task(TASKS["connectivity"](of="rot"), [(empty, empty)], CLASSES)
