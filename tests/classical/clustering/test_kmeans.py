"""k-means against scikit-learn's, on spectra with the noise of a time-of-flight measurement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_info, threadpool_limits

from beamforge.classical.clustering import Features, kmeans, lloyd
from beamforge.classical.clustering.lloyd_torch import lloyd_torch
from beamforge.classical.clustering.seeding import plus_plus
from beamforge.errors import InputError


def spectra(pixels: int = 3000, channels: int = 150, groups: int = 5, noise: float = 0.25, seed: int = 0):
    """Spectra (channel, pixel) of groups of unequal size, and which group each is of."""
    rng = default_rng(seed)
    truth = rng.choice(groups, pixels, p=np.arange(1, groups + 1) / np.arange(1, groups + 1).sum())
    shapes = 1 + 0.3 * np.cumsum(rng.normal(size=(groups, channels)), axis=1) / np.sqrt(channels)
    return (shapes[truth].T + rng.normal(0, noise, (channels, pixels))).astype(np.float32), truth


@pytest.mark.parametrize("seed", range(4))
def test_lloyd_moves_as_scikit_learns_does(seed: int) -> None:
    values, _ = spectra(seed=seed)
    start = kmeans_plusplus(values.T, 8, random_state=seed)[0].astype(np.float64)
    peer = KMeans(8, init=start, n_init=1, tol=1e-4).fit(values.T)
    found = lloyd(Features(values), start)
    assert (found.labels == peer.labels_).mean() > 0.9995
    assert found.inertia == pytest.approx(peer.inertia_, rel=1e-5)
    np.testing.assert_allclose(found.centroids, peer.cluster_centers_, atol=2e-3)
    # The point of the bounds: the data is read in full far less often than the centroids move.
    assert found.exact_passes < 1 + found.iterations
    inertia = ((values.T - found.centroids[found.labels]) ** 2).sum()
    assert found.inertia == pytest.approx(inertia, rel=1e-4)


def test_bounds_leave_every_label_as_it_is_without_them() -> None:
    # Labels by brute force after each single move.
    values, _ = spectra(1500, 120, noise=0.4)
    centroids = plus_plus(values - values.mean(axis=1, keepdims=True), 6, default_rng(2)) + values.mean(axis=1)
    for moves in range(1, 9):
        found = lloyd(Features(values), centroids, iterations=moves, tolerance=0.0)
        apart = ((values.T[:, None].astype(np.float64) - found.centroids) ** 2).sum(axis=2)
        chosen = np.take_along_axis(apart, found.labels[:, None], axis=1)[:, 0]
        np.testing.assert_allclose(chosen, apart.min(axis=1), rtol=1e-5)


def test_torch_does_the_same() -> None:
    values, _ = spectra()
    start = kmeans_plusplus(values.T, 6, random_state=3)[0].astype(np.float64)
    ours, theirs = lloyd(Features(values), start), lloyd_torch(Features(values), start, "cpu")
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_array_equal(ours.sizes, theirs.sizes)
    np.testing.assert_allclose(ours.centroids, theirs.centroids, atol=1e-6)
    assert theirs.inertia == pytest.approx(ours.inertia, rel=1e-5)
    assert theirs.iterations == ours.iterations


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_named(device: str) -> None:
    values, _ = spectra(60, 10)
    with pytest.raises(InputError, match=f"the device '{device}' cannot be used"):
        kmeans(Features(values), 3, default_rng(0), device=device)


def test_restarts_find_as_little_inertia_as_the_peers() -> None:
    values, truth = spectra(noise=0.15)
    peer = KMeans(5, n_init=10, random_state=0).fit(values.T)
    found = kmeans(Features(values), 5, default_rng(0))
    assert found.inertia <= 1.001 * peer.inertia_
    assert adjusted_rand_score(truth, found.labels) > 0.99
    again = kmeans(Features(values), 5, default_rng(0))
    np.testing.assert_array_equal(found.labels, again.labels)


def test_the_number_of_threads_changes_nothing() -> None:
    values, _ = spectra(9000, 300)
    fits = []
    for threads in (1, 3):
        with threadpool_limits(threads, user_api="blas"):
            fits.append(kmeans(Features(values), 6, default_rng(0), restarts=3))
            # The user's own setting is back afterwards.
            assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {
                threads
            }
    np.testing.assert_array_equal(fits[0].labels, fits[1].labels)
    np.testing.assert_array_equal(fits[0].centroids, fits[1].centroids)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_an_empty_cluster_starts_again_far_away(engine: str) -> None:
    values, _ = spectra(500, 40)
    values[:, :20] += 3.0
    start = np.stack([values[:, 100], values[:, 200], np.full(40, 1e3), np.full(40, -1e3)]).astype(np.float64)
    found = lloyd(Features(values), start) if engine == "numpy" else lloyd_torch(Features(values), start, "cpu")
    assert (found.sizes > 0).all()
    # The far group has a cluster for itself.
    assert len(set(found.labels[:20]) & set(found.labels[20:])) == 0


def test_what_is_not_possible_is_said() -> None:
    values, _ = spectra(50, 20)
    with pytest.raises(InputError, match="51 clusters of 50 usable pixels"):
        kmeans(Features(values), 51, default_rng(0))
    with pytest.raises(InputError, match="only 3 different spectra, 4 clusters"):
        kmeans(Features(np.repeat(values[:, :3], 10, axis=1)), 4, default_rng(0))


def test_one_cluster_is_the_mean_and_as_many_as_pixels_leave_no_inertia() -> None:
    values, _ = spectra(40, 30)
    one = kmeans(Features(values), 1, default_rng(0))
    np.testing.assert_allclose(one.centroids[0], values.mean(axis=1), atol=1e-6)
    assert one.inertia == pytest.approx(values.var(axis=1).sum() * 40, rel=1e-5)
    every = kmeans(Features(values), 40, default_rng(0))
    assert sorted(every.sizes) == [1] * 40
    assert every.inertia == pytest.approx(0, abs=1e-4 * one.inertia)


def test_plus_plus_draws_by_squared_distance() -> None:
    # Three places on a line: from 0, the place at 3 is 9 times as likely as that at 1. With one candidate a draw the
    # frequency is known in closed form; greedy draws of 2 take the better one, which is known too.
    values = np.repeat(np.array([[0.0, 1.0, 3.0]], np.float32), 2, axis=0)
    rng = default_rng(0)
    seconds = []
    while len(seconds) < 3000:
        first, second = plus_plus(values, 2, rng)[:, 0]
        if first == 0:
            seconds.append(second)
    # Taking 3 leaves inertia 1 (each axis), taking 1 leaves 4: of two candidates 3 wins unless both are 1.
    expected = 1 - 0.1**2
    assert np.mean(np.array(seconds) == 3) == pytest.approx(expected, abs=4 * np.sqrt(expected * 0.01 / 3000))


@given(st.integers(0, 10_000))
def test_selected_rows_and_columns_are_those_of_plain_indexing(seed: int) -> None:
    rng = default_rng(seed)
    values = rng.integers(0, 1000, (6, 900)).astype(np.uint16)
    channels, pixels = np.sort(rng.choice(6, 4, False)), np.sort(rng.choice(900, 700, False))
    positions = rng.normal(size=(2, 900)).astype(np.float32)
    features = Features(values, channels, pixels, positions)
    expected = np.concatenate([values[np.ix_(channels, pixels)].astype(np.float32), positions[:, pixels]])
    np.testing.assert_array_equal(np.concatenate([features.block(p) for p in features.slices(1 << 13)], 1), expected)
    chosen = rng.integers(0, 700, 50)
    np.testing.assert_array_equal(features.take(chosen), expected[:, chosen])
    np.testing.assert_allclose(features.mean, expected.mean(axis=1, dtype=np.float64), rtol=1e-5, atol=1e-5)
    assert (features.size, features.count) == expected.shape


def test_blocks_of_a_plain_matrix_are_views() -> None:
    values, _ = spectra(600, 30)
    assert np.shares_memory(Features(values).block(slice(100, 300)), values)
