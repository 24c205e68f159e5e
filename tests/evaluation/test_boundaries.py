import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.evaluation.boundaries import BoundaryCounts, drawn_width
from beamforge.evaluation.connectivity import skeleton


def brute_force(found, real, tolerance):
    """Pixels of one mask that have one of the other near, pair by pair."""
    places, others = np.argwhere(found), np.argwhere(real)
    return sum(any(math.dist(one, other) <= tolerance for other in others) for one in places)


def random_lines(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((24, 28), bool)
    for _ in range(3):
        y, x = rng.integers(2, 20, 2)
        if rng.random() < 0.5:
            mask[y : y + 3, x : x + 9] = True
        else:
            mask[y : y + 9, x : x + 3] = True
    return mask


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 1.5, 3.0]))
def test_counts_are_those_of_all_pairs(seed, tolerance):
    predicted, truth = random_lines(seed), random_lines(seed + 1)
    counts = BoundaryCounts.of(predicted, truth, tolerance)
    found, real = skeleton(predicted), skeleton(truth)
    assert counts.predicted == found.sum()
    assert counts.predicted_near == brute_force(found, real, tolerance)
    assert counts.true_near == brute_force(real, found, tolerance)


@given(st.integers(0, 10_000))
def test_prediction_and_truth_swap_precision_and_recall(seed):
    one, other = random_lines(seed), random_lines(seed + 1)
    there, back = BoundaryCounts.of(one, other), BoundaryCounts.of(other, one)
    assert there.precision == back.recall
    assert there.f == pytest.approx(back.f, abs=1e-12)


def test_a_line_drawn_wider_scores_the_same():
    thin, wide = np.zeros((2, 40, 40), bool)
    thin[20, :] = True
    wide[18:23, :] = True
    assert BoundaryCounts.of(wide, thin, tolerance=3.0).f == 1.0


@pytest.mark.parametrize(("shift", "score"), [(3, 1.0), (4, 0.0)])
def test_the_tolerance_is_a_sharp_limit(shift, score):
    truth, moved = np.zeros((2, 40, 40), bool)
    truth[15] = True
    moved[15 + shift] = True
    assert BoundaryCounts.of(moved, truth, tolerance=3.0).f == score


def test_counts_of_images_add_up():
    one = BoundaryCounts(predicted=10, predicted_near=5, true=4, true_near=4)
    other = BoundaryCounts(predicted=30, predicted_near=25, true=36, true_near=16)
    total = BoundaryCounts.total([one, other])
    assert (total.precision, total.recall) == (0.75, 0.5)
    assert total.f == pytest.approx(0.6)


def test_nothing_predicted_scores_zero_and_nothing_at_all_is_undefined():
    truth = random_lines(1)
    empty = np.zeros_like(truth)
    assert BoundaryCounts.of(empty, truth).f == 0.0
    assert math.isnan(BoundaryCounts.of(empty, truth).precision)
    assert math.isnan(BoundaryCounts.of(empty, empty).f)


def test_masks_of_different_shape_and_a_negative_tolerance_are_refused():
    with pytest.raises(InputError, match="must agree"):
        BoundaryCounts.of(np.zeros((4, 4), bool), np.zeros((4, 5), bool))
    with pytest.raises(InputError, match="-1"):
        BoundaryCounts.of(np.zeros((4, 4), bool), np.zeros((4, 4), bool), tolerance=-1)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_the_width_of_a_straight_line_is_measured(width):
    mask = np.zeros((40, 400), bool)
    mask[10 : 10 + width] = True
    # The skeleton ends up to half a width before the line does.
    assert drawn_width(mask) == pytest.approx(width, rel=0.03)


def test_no_line_has_no_width():
    with pytest.raises(InputError, match="no line"):
        drawn_width(np.zeros((5, 5), bool))
