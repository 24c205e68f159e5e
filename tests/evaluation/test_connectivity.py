import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.connectivity import (
    cl_dice,
    length_error,
    skeleton,
    skeleton_length,
    skeleton_precision,
    skeleton_recall,
)


def bar(row: int, left: int, right: int, half: int = 0) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[row - half : row + half + 1, left:right] = True
    return mask


def test_width_does_not_matter_but_course_does() -> None:
    thin, thick = bar(20, 5, 55), bar(20, 5, 55, half=3)
    assert skeleton_recall(thick, thin) == 1.0
    assert skeleton_precision(thin, thick) == 1.0
    # The skeleton of the thick bar forks towards the corners of its ends, which the thin one does not cover.
    assert 0.95 < cl_dice(thin, thick) < 1.0
    assert cl_dice(bar(5, 5, 55), thick) == 0.0


def test_a_gap_lowers_recall_and_a_false_branch_precision() -> None:
    truth = bar(20, 5, 55)
    gap = truth.copy()
    gap[:, 20:30] = False
    assert skeleton_recall(gap, truth) == 40 / 50
    assert skeleton_precision(gap, truth) == 1.0
    assert cl_dice(gap, truth) == pytest.approx(2 * 0.8 / 1.8)
    false = truth | bar(5, 10, 35)
    assert skeleton_recall(false, truth) == 1.0
    assert skeleton_precision(false, truth) == 50 / 75
    assert length_error(false, truth) == pytest.approx(73 / 49 - 1)
    assert length_error(gap, truth) == pytest.approx(38 / 49 - 1)


@pytest.mark.parametrize(("across", "down"), [(30, 0), (0, 25), (20, 20), (-15, 15)])
def test_length_of_straight_lines(across: int, down: int) -> None:
    mask = np.zeros((40, 60), bool)
    steps = max(abs(across), abs(down))
    for i in range(steps + 1):
        mask[5 + i * down // steps, 25 + i * across // steps] = True
    assert skeleton_length(mask) == pytest.approx(math.hypot(across, down))


def test_length_of_a_right_angle_takes_no_short_cut_and_none_twice() -> None:
    mask = np.zeros((30, 30), bool)
    mask[5, 5:21] = mask[5:21, 20] = True
    # Thinning cuts the very corner: two steps of 1 become one of √2.
    assert skeleton_length(mask) in (pytest.approx(30.0), pytest.approx(28 + math.sqrt(2)))


def test_length_of_a_circle_is_within_the_known_bias_of_chain_codes() -> None:
    rows, columns = np.mgrid[:81, :81]
    ring = np.abs(np.hypot(rows - 40, columns - 40) - 30) < 2
    # Summed steps of 1 and √2 are up to 8 % longer than a curve and 5 % on average over directions.
    assert 1.0 < skeleton_length(ring) / (2 * math.pi * 30) < 1.09


def test_length_in_three_dimensions() -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[np.arange(1, 11), np.arange(1, 11), np.arange(1, 11)] = True
    assert skeleton_length(mask) == pytest.approx(9 * math.sqrt(3))


def test_empty_masks() -> None:
    line, nothing = bar(20, 5, 55), np.zeros((40, 60), bool)
    assert cl_dice(nothing, line) == 0.0
    assert length_error(nothing, line) == -1.0
    assert math.isnan(cl_dice(line, nothing))
    assert math.isnan(length_error(line, nothing))
    assert math.isnan(skeleton_precision(nothing, line))


def test_masks_of_other_sizes_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(40, 60\), the truth \(40, 50\)"):
        cl_dice(bar(20, 5, 55), bar(20, 5, 50)[:, :50])


@given(st.integers(0, 2**32))
def test_scores_are_shares_and_perfect_for_the_truth_itself(seed: int) -> None:
    rng = default_rng(seed)
    truth, other = rng.random((2, 24, 24)) < 0.2
    truth[0, 0] = True
    assert cl_dice(truth, truth) == 1.0
    assert length_error(truth, truth) in (0.0,) or math.isnan(length_error(truth, truth))
    assert 0.0 <= cl_dice(other, truth) <= 1.0
    assert not (skeleton(truth) & ~truth).any()
