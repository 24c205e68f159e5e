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


@pytest.mark.parametrize("flipped", [[4], [4, 5], [2, 6]])
def test_flipped_slices_inside_a_particle_are_mended(flipped: list[int]) -> None:
    labels = rod()
    labels[flipped] = np.where(labels[flipped] == 1, 2, 0)
    assert slice_consistency(labels, 3).flips > 0
    np.testing.assert_array_equal(vote(labels), rod())


def test_a_composite_keeps_its_rim_all_around() -> None:
    z, y, x = np.mgrid[:25, :25, :25] - 12
    distance = np.sqrt(z**2 + y**2 + x**2)
    labels = np.where(distance <= 6, 1, np.where(distance <= 10, 2, 0)).astype(np.uint8)
    voted = vote(labels)
    np.testing.assert_array_equal(voted == 2, (labels == 2) | (voted != labels))
    # Four single voxels at the tips of the core have the rim above and below them.
    assert (voted != labels).sum() <= 4


def test_the_outline_of_the_widest_slice_follows_its_inside() -> None:
    z, y, x = np.mgrid[:15, :21, :21] - np.array([7, 10, 10])[:, None, None, None]
    ball = (np.sqrt(z**2 + y**2 + x**2) <= 6).astype(np.uint8)
    flipped = ball.copy()
    flipped[7] *= 2
    np.testing.assert_array_equal(vote(flipped), ball)


def test_ends_of_the_volume_and_of_particles_keep_their_class() -> None:
    labels = rod(6)
    labels[0, 3:9, 3:9] = labels[5, 3:9, 3:9] = 2
    np.testing.assert_array_equal(vote(labels), labels)


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
