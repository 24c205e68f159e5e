"""Agreement of clusters with classes."""

import itertools

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.clusters import agreement


def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = default_rng(3)
    truth = rng.integers(0, 3, (30, 40)).astype(np.uint8)
    clusters = np.where(rng.random(truth.shape) < 0.7, np.array([2, 0, 3], np.uint8)[truth], 1).astype(np.uint8)
    return clusters, truth


def test_names_of_clusters_mean_nothing() -> None:
    _, truth = pair()
    found = agreement(np.array([7, 2, 5], np.uint8)[truth], truth)
    assert (found.rand, found.information, found.accuracy) == pytest.approx((1.0, 1.0, 1.0))


def test_accuracy_is_that_of_the_best_of_all_assignments() -> None:
    clusters, truth = pair()
    best = max(np.mean(clusters == np.array(chosen)[truth]) for chosen in itertools.permutations(range(4), 3))
    assert agreement(clusters, truth).accuracy == pytest.approx(best)


def test_the_index_counts_pairs_of_pixels() -> None:
    clusters, truth = pair()
    clusters, truth = clusters[:6, :6], truth[:6, :6]
    pairs = list(itertools.combinations(range(36), 2))
    same_cluster = np.array([clusters.flat[i] == clusters.flat[j] for i, j in pairs])
    same_class = np.array([truth.flat[i] == truth.flat[j] for i, j in pairs])
    both, expected = np.sum(same_cluster & same_class), same_cluster.sum() * same_class.sum() / len(pairs)
    index = (both - expected) / ((same_cluster.sum() + same_class.sum()) / 2 - expected)
    assert agreement(clusters, truth).rand == pytest.approx(index)


def test_ignored_pixels_do_not_count() -> None:
    clusters, truth = pair()
    hidden = truth.copy()
    hidden[:10] = 255
    assert agreement(clusters, hidden) == agreement(clusters[10:], truth[10:])


def test_nothing_to_compare_is_said() -> None:
    clusters, truth = pair()
    with pytest.raises(InputError, match="nothing can be compared"):
        agreement(clusters, np.full_like(truth, 255))
    with pytest.raises(InputError, match="they must agree"):
        agreement(clusters[1:], truth)
