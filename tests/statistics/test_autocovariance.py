import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.statistics.autocovariance import autocovariance, connected_regions, radial_profile


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_against_a_loop_over_all_pairs(seed: int, reach: int) -> None:
    rng = default_rng(seed)
    labels = rng.integers(0, 2, (3, 4)).repeat(4, 0).repeat(3, 1)
    labels[rng.random(labels.shape) < 0.1] = 255
    scores = rng.normal(size=labels.shape).astype(np.float32)
    scores[rng.random(labels.shape) < 0.1] = np.nan
    regions = connected_regions(labels, 2)
    products, pairs = np.zeros((2, 2 * reach + 1, 2 * reach + 1))
    for _, box, mask in regions:
        exact = scores[box].astype(np.float64)
        places = [p for p in np.argwhere(mask) if np.isfinite(exact[tuple(p)])]
        for a in places:
            for b in places:
                lag = b - a
                if np.abs(lag).max() <= reach:
                    products[tuple(lag + reach)] += exact[tuple(a)] * exact[tuple(b)]
                    pairs[tuple(lag + reach)] += 1
    found, counted = autocovariance(scores, regions, reach)
    np.testing.assert_array_equal(counted, pairs)
    np.testing.assert_allclose(found, products, atol=1e-9)


def test_regions_of_one_class_are_kept_apart() -> None:
    labels = np.full((10, 20), 255)
    labels[1:9, 1:6] = 3
    labels[1:9, 12:19] = 3
    labels[0, 10] = 2
    regions = connected_regions(labels)
    assert [(label, mask.sum()) for label, _, mask in regions] == [(3, 40), (3, 56)]


def test_radial_profile_of_a_radial_function() -> None:
    lag = np.arange(-20, 21)
    distance = np.hypot(lag[:, None], lag[None, :])
    radius, mean, weight = radial_profile(np.exp(-distance / 5), np.ones_like(distance))
    np.testing.assert_allclose(mean, np.exp(-radius / 5), rtol=0.02)
    assert weight[0] == 1
    assert weight[1] == 8
