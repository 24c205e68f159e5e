import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap
from beamforge.evaluation.free_response import FreeResponse, group_weights


def curve(seed: int, settings: int = 5, images: int = 6) -> FreeResponse:
    rng = default_rng(seed)
    there = rng.integers(1, 20, images).astype(np.float64)
    found = rng.binomial(there.astype(int), rng.random((settings, 1))).astype(np.float64)
    return FreeResponse(found, there, rng.poisson(2.0 * rng.random((settings, 1)), (settings, images)).astype(float))


def test_recall_between_settings_lies_on_the_line_between_them() -> None:
    # Of 20 objects in 2 images: 10 without a false one, 14 with one an image, 16 with three.
    found = np.array([[5.0, 5.0], [8.0, 6.0], [8.0, 8.0]])
    response = FreeResponse(found, np.array([10.0, 10.0]), np.array([[0.0, 0.0], [2.0, 0.0], [3.0, 3.0]]))
    np.testing.assert_allclose(response.recall_at([0.0, 0.5, 1.0, 2.0, 3.0, 9.0]), [[0.5, 0.6, 0.7, 0.75, 0.8, 0.8]])


def test_a_line_begins_at_nothing_found_and_at_the_best_of_equal_settings() -> None:
    found, there = np.array([[4.0], [6.0], [9.0]]), np.array([10.0])
    response = FreeResponse(found, there, np.array([[2.0], [2.0], [4.0]]))
    np.testing.assert_allclose(response.recall_at([1.0, 2.0, 3.0]), [[0.3, 0.6, 0.75]])


@given(seed=st.integers(0, 10_000), level=st.floats(0.0, 5.0))
def test_a_worse_setting_changes_nothing_and_more_false_ones_never_find_less(seed: int, level: float) -> None:
    response = curve(seed)
    worse = FreeResponse(
        np.vstack([response.found, response.found[:1] * 0.0]),
        response.there,
        np.vstack([response.false, response.false[:1]]),
    )
    before = response.recall_at([level, level + 0.5])
    np.testing.assert_array_equal(worse.recall_at([level, level + 0.5]), before)
    assert before[0, 0] <= before[0, 1]
    within = response.points()[0][0] <= level
    assert before[0, 0] >= response.points()[1][0][within].max(initial=0.0)


def test_weights_count_images_as_often_as_they_say() -> None:
    response = curve(3)
    weights = np.array([2, 0, 1, 3, 0, 1])
    repeated = np.repeat(np.arange(6), weights)
    again = FreeResponse(response.found[:, repeated], response.there[repeated], response.false[:, repeated])
    levels = [0.2, 0.7, 1.5]
    np.testing.assert_allclose(response.recall_at(levels, weights[None]), again.recall_at(levels))


def test_groups_are_drawn_whole() -> None:
    weights = group_weights(["a", "a", "b", "c", "b"], Bootstrap(resamples=300))
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])
    np.testing.assert_array_equal(weights[:, 2], weights[:, 4])
    np.testing.assert_array_equal(weights[:, [0, 2, 3]].sum(axis=1), 3.0)
    assert len(np.unique(weights, axis=0)) == 10  # ways to draw 3 of 3 with replacement


@pytest.mark.parametrize(
    ("found", "there", "false"),
    [
        (np.ones((2, 3)), np.ones(2), np.ones((2, 3))),
        (np.ones((2, 3)), np.ones(3), np.ones((3, 2))),
        (np.zeros((2, 3)), np.zeros(3), np.ones((2, 3))),
        (2 * np.ones((2, 3)), np.ones(3), np.ones((2, 3))),
    ],
)
def test_counts_that_do_not_fit_are_refused(found: np.ndarray, there: np.ndarray, false: np.ndarray) -> None:
    with pytest.raises(InputError):
        FreeResponse(found, there, false)
