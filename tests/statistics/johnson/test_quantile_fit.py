import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import stats

from beamforge.statistics.johnson import QUANTILE_PROBABILITIES, Family, Johnson, fit_quantiles

EXACT = [
    (Family.SU, 2.2, 2.7, 16.0, 1.7),
    (Family.SB, 0.545, 1.2309, 14.97, 36.0),
    (Family.SL, 0.3, 1.4, 2.0, 1.0),
    (Family.SL, -0.3, -1.4, 2.0, -1.0),
    (Family.SN, 0.0, 1.0, 5.0, 2.0),
]


def parameters(curve: Johnson) -> list[float]:
    return [float(v) for v in (curve.family, curve.gamma, curve.eta, curve.epsilon, curve.lambda_)]


@pytest.mark.parametrize("wanted", EXACT, ids=lambda w: w[0].name)
def test_exact_quantiles_give_the_curve_back(wanted: tuple) -> None:
    found = fit_quantiles(Johnson.of(*wanted).quantile(QUANTILE_PROBABILITIES))
    np.testing.assert_allclose(parameters(found), wanted, rtol=1e-12, atol=1e-12)


@given(
    st.sampled_from([Family.SU, Family.SB]),
    st.floats(-1.5, 1.5),
    st.floats(0.8, 2.5),
    st.floats(-9, 9),
    st.floats(0.1, 50),
)
def test_drawn_parameters_are_recovered(family: Family, gamma: float, eta: float, epsilon: float, scale: float) -> None:
    curve = Johnson.of(family, gamma, eta, epsilon, scale)
    found = fit_quantiles(curve.quantile(QUANTILE_PROBABILITIES))
    assert found.family == family
    np.testing.assert_allclose(found.gamma, gamma, atol=1e-7)
    np.testing.assert_allclose(found.eta, eta, rtol=1e-7)
    np.testing.assert_allclose([found.epsilon, found.lambda_], [epsilon, scale], rtol=1e-6, atol=1e-6)


def test_many_samples_at_once_equal_one_by_one() -> None:
    curves = [Johnson.of(*wanted) for wanted in EXACT]
    quantiles = np.stack([curve.quantile(QUANTILE_PROBABILITIES) for curve in curves])
    together = fit_quantiles(quantiles, 1000, quantiles[:, 0], quantiles[:, 3])
    for number, row in enumerate(quantiles):
        alone = fit_quantiles(row, 1000, row[0], row[3])
        np.testing.assert_allclose(parameters(together[number]), parameters(alone), rtol=1e-13)


def test_sampling_errors_of_the_discriminant_are_those_of_simulated_samples() -> None:
    from beamforge.statistics.johnson.quantile_fit import _sampling_errors

    n = 2000
    x = np.quantile(default_rng(0).normal(size=(4000, n)), QUANTILE_PROBABILITIES, axis=1)
    m, lower, p = x[3] - x[2], x[1] - x[0], x[2] - x[1]
    simulated = np.std(np.log(m * lower / p**2)), np.std(np.log(m / lower))
    np.testing.assert_allclose(np.array(_sampling_errors()) / np.sqrt(n), simulated, rtol=0.04)


def test_inside_the_band_curves_are_normal_or_log_normal() -> None:
    rng = default_rng(1)
    for draw, wanted in (
        (rng.normal(size=(300, 400)), Family.SN),
        (np.exp(0.5 * rng.normal(size=(300, 400))), Family.SL),
    ):
        families = fit_quantiles(np.quantile(draw, QUANTILE_PROBABILITIES, axis=1).T, 400).family
        assert np.mean(families == wanted) > 0.6


@given(st.integers(0, 2**32), st.floats(0.5, 2.0), st.floats(-1, 1))
def test_bounded_curves_hold_all_data(seed: int, eta: float, gamma: float) -> None:
    x = Johnson.of(Family.SB, gamma, eta, 0.0, 1.0).from_normal(default_rng(seed).normal(size=200))
    found = fit_quantiles(np.quantile(x, QUANTILE_PROBABILITIES), 200, x.min(), x.max())
    if found.family == Family.SB:
        assert found.epsilon < x.min()
        assert found.epsilon + found.lambda_ > x.max()
    assert np.isfinite(parameters(found)).all()


@pytest.mark.parametrize("quantiles", [[1, 1, 2, 3], [1, 2, 2, 3], [1, 2, 3, 3], [1, 1, 1, 1]])
def test_tied_quantiles_have_no_curve(quantiles: list[int]) -> None:
    assert np.isnan(fit_quantiles(quantiles, 100).gamma)


def test_ages_of_mothers(real_data) -> None:
    # Johnson (1949), from the same data by another fit: SB [.5918 1.2536 15.0 36.5].
    ages = np.loadtxt(real_data / "johnson" / "age_at_birth.dat")
    spread = ages + default_rng(0).uniform(-0.5, 0.5, ages.size)
    found = fit_quantiles(np.quantile(spread, QUANTILE_PROBABILITIES), ages.size, spread.min(), spread.max())
    assert found.family == Family.SB
    # Its ends hold the few mothers below 15 and above 51, whom his leave out; the distributions agree all the same.
    published = stats.johnsonsb(0.5918, 1.2536, 15.0, 36.5)
    x = np.linspace(16, 45, 100)
    assert np.abs(found.cdf(x) - published.cdf(x)).max() < 0.03
