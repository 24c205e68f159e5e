"""Particles by size, their classes, and flips between slices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from skimage import measure

from beamforge.errors import InputError
from beamforge.evaluation.consistency import slice_consistency
from beamforge.evaluation.particles import ParticleScores, equivalent_diameter, label_particles, score_particles


def scene() -> np.ndarray:
    """A single pixel, a square of 36 px and a composite of 144 px with a rim."""
    truth = np.zeros((40, 40), np.uint8)
    truth[2, 2] = 1
    truth[8:14, 8:14] = 2
    truth[20:32, 20:32] = 2
    truth[22:30, 22:30] = 1
    return truth


def test_a_perfect_prediction_finds_all_in_their_size_bins() -> None:
    scores = score_particles(scene(), scene(), 3)
    assert scores.count == scores.found == scores.right == (1, 1, 1, 0, 0)
    assert (scores.composite, scores.composite_right, scores.false) == (1, 1, 0)
    assert scores.recall == scores.class_accuracy == 1.0
    assert scores.recall_by_size == (1.0, 1.0, 1.0, None, None)


def test_a_missed_a_misnamed_and_an_invented_particle() -> None:
    predicted = scene()
    predicted[2, 2] = 0
    predicted[8:14, 8:14] = 1
    predicted[2:4, 30:34] = 1
    predicted[20:32, 20:32] = 2  # the core of the composite is lost
    scores = score_particles(scene(), predicted, 3)
    assert scores.found == (0, 1, 1, 0, 0)
    # Most of the composite is rim by 80 to 64 px, so that its largest class stays right.
    assert scores.right == (0, 0, 1, 0, 0)
    assert (scores.composite, scores.composite_right, scores.false) == (1, 0, 1)


def test_ignored_pixels_are_neither_particles_nor_false_ones() -> None:
    truth, predicted = scene(), scene()
    truth[8:14, 8:14] = 255
    scores = score_particles(truth, predicted, 3)
    assert scores.count == (1, 0, 1, 0, 0)
    assert scores.false == 0


@given(seed=st.integers(0, 2**32), dimensions=st.sampled_from([2, 3]))
def test_particles_are_those_of_scikit_image(seed: int, dimensions: int) -> None:
    labels = (default_rng(seed).random((9,) * dimensions) < 0.2).astype(np.uint8) * 2
    found, count = label_particles(labels, 0)
    expected = measure.label(labels > 0, connectivity=dimensions)
    assert count == expected.max()
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(expected))
    regions = measure.regionprops(expected)
    sizes = np.array([region.area for region in regions], dtype=np.int64)
    np.testing.assert_allclose(
        equivalent_diameter(sizes, dimensions), [region.equivalent_diameter_area for region in regions]
    )


@given(seed=st.integers(0, 2**32))
def test_counts_of_images_side_by_side_add_up(seed: int) -> None:
    rng = default_rng(seed)
    truth, predicted = rng.integers(0, 3, (2, 2, 12, 12)).astype(np.uint8)
    for images in (truth, predicted):
        images[:, :, -1] = 0  # so that nothing touches across the seam
    parts = [score_particles(truth[i], predicted[i], 3) for i in range(2)]
    whole = score_particles(np.concatenate(truth, axis=1), np.concatenate(predicted, axis=1), 3)
    assert ParticleScores.total(parts) == whole


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="must agree"):
        score_particles(np.zeros((3, 3), int), np.zeros((3, 4), int), 2)


def test_flips_are_counted_where_the_class_changes_between_slices() -> None:
    labels = np.zeros((6, 10, 20), np.uint8)
    labels[:, 1:5, 1:5] = 1
    labels[3, 1:5, 1:5] = 2  # flips there and back
    labels[2:5, 2:8, 10:16] = 2
    found = slice_consistency(labels, 3)
    assert (found.pairs, found.flips) == (5 + 2, 2)
    truth = np.where(labels > 0, 1, 0)
    particles, _ = label_particles(truth, 0)
    assert slice_consistency(truth, 3, particles=particles).flips == 0


def test_a_slice_with_too_little_of_a_particle_has_no_class() -> None:
    labels = np.zeros((3, 6, 6), np.uint8)
    labels[0, :3, :3] = labels[2, :3, :3] = 1
    labels[1, 1, 1] = 2
    assert slice_consistency(labels, 3).pairs == 0
    assert slice_consistency(labels, 3, least=1).flips == 2
    assert slice_consistency(np.zeros((2, 3, 3), int), 2).flip_rate is None
    with pytest.raises(InputError, match="volume"):
        slice_consistency(labels[0], 3)
