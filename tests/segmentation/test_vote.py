"""The vote over slices: flips are mended, composites and the outline stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.consistency import slice_consistency
from beamforge.segmentation.vote import consistency_vote


def vote(labels: np.ndarray, **options: int) -> np.ndarray:
    return np.stack(list(consistency_vote(labels, 3, **options)))


def rod(depth: int = 9) -> np.ndarray:
    labels = np.zeros((depth, 12, 12), np.uint8)
    labels[:, 3:9, 3:9] = 1
    return labels


@pytest.mark.parametrize("flipped", [[4], [4, 5], [2, 6], [0], [8]])
def test_flipped_slices_of_a_particle_are_mended(flipped: list[int]) -> None:
    labels = rod()
    labels[flipped] = np.where(labels[flipped] == 1, 2, 0)
    assert slice_consistency(labels, 3).flips > 0
    np.testing.assert_array_equal(vote(labels), rod())


def ball(radius: float) -> np.ndarray:
    z, y, x = np.mgrid[:25, :25, :25] - 12
    return np.sqrt(z**2 + y**2 + x**2) <= radius


@pytest.mark.parametrize("core", [5.0, 6.0, 7.0, 8.0])
def test_a_composite_keeps_its_rim_all_around(core: float) -> None:
    labels = np.where(ball(core), 1, np.where(ball(10), 2, 0)).astype(np.uint8)
    np.testing.assert_array_equal(vote(labels), labels)


def test_the_outline_of_the_widest_slice_follows_its_inside() -> None:
    right = ball(6).astype(np.uint8)
    flipped = right.copy()
    flipped[12] *= 2
    np.testing.assert_array_equal(vote(flipped), right)


def test_a_particle_on_top_of_another_keeps_its_class() -> None:
    labels = rod()
    labels[5:] *= 2
    np.testing.assert_array_equal(vote(labels), labels)


def test_a_flipped_part_of_a_section_goes_with_the_whole_only_if_it_is_the_larger_one() -> None:
    labels = rod()
    labels[4, 3:5, 3:9] = 2
    np.testing.assert_array_equal(vote(labels), labels)
    labels[4, 3:8, 3:9] = 2
    np.testing.assert_array_equal(vote(labels), rod())


@given(seed=st.integers(0, 2**32), reach=st.integers(1, 2))
def test_background_and_ignored_pixels_stay_and_nothing_else_becomes_them(seed: int, reach: int) -> None:
    labels = default_rng(seed).choice(np.array([0, 1, 2, 255], np.uint8), size=(6, 5, 7))
    voted = vote(labels, reach=reach)
    for number in (0, 255):
        np.testing.assert_array_equal(voted == number, labels == number)
    # Turned upside down, the vote is the same.
    np.testing.assert_array_equal(vote(labels[::-1], reach=reach)[::-1], voted)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="volume"):
        list(consistency_vote(np.zeros((3, 3), np.uint8), 2))
    with pytest.raises(InputError, match="1 to 2"):
        list(consistency_vote(np.zeros((3, 3, 3), np.uint8), 2, reach=5))
