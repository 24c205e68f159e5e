"""The table of what goes wrong with Johnson fits, as bounds; and the laws that both kinds of marginals obey."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator, default_rng
from scipy import stats

from beamforge.stack import as_labels, as_stack
from beamforge.statistics.johnson import Family, Johnson
from beamforge.statistics.marginals import EmpiricalMarginals, JohnsonMarginals, Marginals
from beamforge.statistics.samples import Summary, summarise

P = (np.arange(2000) + 0.5) / 2000


def summary_of(draw: Callable[[Generator, int], np.ndarray], count: int, samples: int = 400, seed: int = 0) -> Summary:
    """Samples of one class, one in every channel."""
    rng = default_rng(seed)
    values = np.stack([draw(rng, count) for _ in range(samples)])[:, None, :]
    return summarise(as_stack(values), as_labels(np.zeros((1, count), int)), rng)


def mixture(rng: Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.3, rng.normal(4, 1, n), rng.normal(0, 1, n))


def contaminated(rng: Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.01, rng.choice([-20, 20], n), 0) + rng.normal(size=n)


def johnson(*parameters: float) -> tuple[Callable[[Generator, int], np.ndarray], np.ndarray]:
    curve = Johnson.of(*parameters)
    return lambda rng, n: curve.from_normal(rng.normal(size=n)), curve.quantile(P)


# name: (values, sampler, quantiles of the truth, bound of W1/sd for Johnson, for empirical quantiles). The bounds are
# the published means of plain four-quantile fits, a little less where these fits are better.
CASES = {
    "normal": (400, lambda rng, n: rng.normal(size=n), stats.norm.ppf(P), 0.063, 0.068),
    "SU": (5000, *johnson(Family.SU, 0.3, 1.9, 0, 1), 0.020, 0.021),
    "SB": (400, *johnson(Family.SB, 0.5, 1.2, 0, 1), 0.063, 0.060),
    "log-normal": (
        5000,
        lambda rng, n: np.exp(0.3 * rng.normal(size=n)),
        np.exp(0.3 * stats.norm.ppf(P)),
        0.019,
        0.020,
    ),
    "whole numbers": (400, lambda rng, n: rng.poisson(100, n), stats.poisson.ppf(P, 100), 0.066, 0.070),
    "1 % outliers": (5000, contaminated, stats.norm.ppf(P), 0.030, 0.22),
    "two populations": (5000, mixture, np.quantile(mixture(default_rng(9), 2_000_000), P), 0.16, 0.018),
}


@pytest.mark.parametrize("case", CASES)
def test_what_goes_wrong_stays_in_bounds(case: str) -> None:
    count, draw, truth, for_johnson, for_empirical = CASES[case]
    summary = summary_of(draw, count, samples=60 if case == "two populations" else 400)
    for marginals, bound in (
        (JohnsonMarginals.fit(summary), for_johnson),
        (EmpiricalMarginals.fit(summary), for_empirical),
    ):
        fitted = marginals.quantile(P)[0]
        assert np.isfinite(fitted).all()
        assert np.abs(fitted - truth).mean() / truth.std() < bound


def test_bounded_curves_hold_the_data() -> None:
    summary = summary_of(CASES["SB"][1], 400)
    curves = JohnsonMarginals.fit(summary).curves
    assert np.isfinite(curves.to_normal(np.stack([summary.low, summary.high], axis=-1))).all()


@pytest.mark.parametrize("method", ["quantiles", "moments", "likelihood"])
def test_methods_find_a_skewed_curve(method: str) -> None:
    truth = Johnson.of(Family.SU, -0.8, 2.0, 100.0, 10.0)
    rng = default_rng(2)
    values = truth.from_normal(rng.normal(size=(3, 1, 4000)))
    summary = summarise(as_stack(values), as_labels(np.zeros((1, 4000), int)), rng, moments=True)
    fitted = JohnsonMarginals.fit(summary, method)
    assert (fitted.ks < 0.02).all()
    assert (fitted.w1 < 0.03).all()


def both(seed: int = 0) -> list[Marginals]:
    rng = default_rng(seed)
    values = np.exp(rng.normal(size=(2, 3, 800)) * 0.4) + np.arange(3)[:, None]
    summary = summarise(as_stack(values), as_labels(np.arange(3)[:, None] * np.ones((1, 800), int)), rng)
    return [JohnsonMarginals.fit(summary), EmpiricalMarginals.fit(summary)]


@pytest.mark.parametrize("marginals", both(), ids=["johnson", "empirical"])
class TestLaws:
    def test_scores_and_values_are_inverse(self, marginals: Marginals) -> None:
        z = np.broadcast_to(np.linspace(-2.8, 2.8, 41), (2, 41))
        for label in range(3):
            values = marginals.from_normal(z, label)
            np.testing.assert_allclose(marginals.to_normal(values, label), z, atol=1e-6)
            assert (np.diff(values, axis=1) > 0).all()

    def test_values_stay_in_the_range_and_scores_finite(self, marginals: Marginals) -> None:
        far = marginals.from_normal(np.array([[-40.0, 40.0]] * 2), 1)
        np.testing.assert_allclose(far, np.stack([marginals.low[1], marginals.high[1]], axis=1))
        scores = marginals.to_normal(np.array([[-1e6, 1e6]] * 2), 1)
        np.testing.assert_allclose(scores, [[-stats.norm.isf(0.5 / 800), stats.norm.isf(0.5 / 800)]] * 2)

    def test_density_integrates_to_one_and_is_the_slope_of_the_probability(self, marginals: Marginals) -> None:
        low, high = marginals.low[2], marginals.high[2]
        x = np.linspace(low - 400 * (high - low), high + 400 * (high - low), 2_000_001, axis=1)
        density = np.exp(marginals.log_density(x, 2))
        np.testing.assert_allclose(np.trapezoid(density, x, axis=1), 1.0, atol=4e-3)
        inner = np.linspace(marginals.quantile([0.2])[2, :, 0], marginals.quantile([0.7])[2, :, 0], 4001, axis=1)
        probability = np.trapezoid(np.exp(marginals.log_density(inner, 2)), inner, axis=1)
        np.testing.assert_allclose(probability, 0.5, atol=3e-3)

    def test_density_is_finite_for_any_value_and_falls_away_from_the_class(self, marginals: Marginals) -> None:
        far = np.array([[-1e9, -1e3, 1e3, 1e9]] * 2)
        density = marginals.log_density(far, 0)
        assert np.isfinite(density).all()
        assert (density[:, 1] > density[:, 0]).all()

    def test_one_channel_alone_is_the_same(self, marginals: Marginals) -> None:
        z = np.linspace(-2, 2, 9)
        np.testing.assert_array_equal(
            marginals.channel(1).from_normal(z[None], 2)[0], marginals.from_normal(np.stack([z, z]), 2)[1]
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(60, 500), st.integers(2, 6))
def test_empirical_quantiles_stay_monotone_under_ties(seed: int, count: int, distinct: int) -> None:
    rng = default_rng(seed)
    values = np.append(rng.integers(0, distinct, count - 2) * 0.1 + 0.05, [0.01, 9.0])
    summary = summarise(as_stack(values[None, None]), as_labels(np.zeros((1, count), int)), rng)
    marginals = EmpiricalMarginals.fit(summary)
    assert (np.diff(marginals.knots) > 0).all()
    assert np.isfinite(marginals.log_density(values[None], 0)).all()
    # Johnson's curves have no quantiles to stand on here; likelihood still finds a finite one.
    fitted = JohnsonMarginals.fit(summary)
    assert np.isfinite(fitted.quantile(P)).all()
