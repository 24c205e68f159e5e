import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.statistics.johnson import QUANTILE_PROBABILITIES, Family, Johnson, fit_quantiles, refine

P = (np.arange(128) + 0.5) / 128
CURVES = [
    (Family.SU, -0.5, 1.5, 3.0, 2.0),
    (Family.SB, 0.7, 1.1, -1.0, 5.0),
    (Family.SL, 1.0, 1.9, 3.0, 1.0),
    (Family.SL, -1.0, -1.9, 3.0, -1.0),
    (Family.SN, 0.0, 1.0, 7.0, 0.1),
]


@pytest.mark.parametrize("truth", CURVES, ids=lambda w: w[0].name)
def test_a_disturbed_curve_comes_back(truth: tuple) -> None:
    curve = Johnson.of(*truth)
    x = curve.quantile(P)
    family, gamma, eta, epsilon, lambda_ = truth
    wide = family in (Family.SU, Family.SB)
    start = Johnson.of(
        family, gamma + 0.05 * (family != Family.SN), eta * (1.05 if family != Family.SN else 1.0),
        epsilon - 0.02 * abs(lambda_), lambda_ * (1.06 if wide or family == Family.SN else 1.0),
    )  # fmt: skip
    found = refine(start, x, P, x[0], x[-1])
    np.testing.assert_allclose(found.cdf(x), P, atol=1e-4)
    assert found.family == family


def test_distances_to_the_truth_shrink() -> None:
    truth = Johnson.of(Family.SU, 0.3, 1.9, 0.0, 1.0)
    x = np.sort(truth.from_normal(default_rng(0).normal(size=(100, 2000))), axis=1)
    start = fit_quantiles(np.quantile(x, QUANTILE_PROBABILITIES, axis=1).T, 2000, x[:, 0], x[:, -1])
    after = refine(start, np.quantile(x, P, axis=1).T, P, x[:, 0], x[:, -1])
    grid = truth.quantile(np.linspace(0.01, 0.99, 99))
    before, later = (np.abs(c.cdf(np.broadcast_to(grid, (100, 99))) - truth.cdf(grid)).max(1) for c in (start, after))
    assert later.mean() < 0.9 * before.mean()


def test_bounded_curves_keep_the_range_and_missing_ones_stay_missing() -> None:
    curve = Johnson.of([Family.SB, Family.SN], [0.7, np.nan], [1.1, np.nan], [-1.0, np.nan], [5.0, np.nan])
    x = np.stack([Johnson.of(Family.SB, 0.7, 1.1, -0.9, 4.8).quantile(P)] * 2)
    found = refine(curve, x, P, -0.95, 3.95)
    assert found.epsilon[0] < -0.95
    assert found.epsilon[0] + found.lambda_[0] > 3.95
    assert np.isnan(found.gamma[1])
