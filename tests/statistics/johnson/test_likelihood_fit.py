import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from beamforge.errors import InputError
from beamforge.statistics.johnson import Family, Johnson, fit_likelihood

CURVES = [
    (Family.SU, -0.5, 1.5, 3.0, 2.0),
    (Family.SB, 0.7, 1.1, -1.0, 5.0),
    (Family.SL, 1.0, 1.9, 3.0, 1.0),
    (Family.SL, -1.0, -1.9, 3.0, -1.0),
    (Family.SN, 0.0, 1.0, 7.0, 0.1),
]


@pytest.mark.parametrize("truth", CURVES, ids=lambda w: w[0].name)
def test_the_family_is_found_and_no_other_curve_is_likelier_by_much(truth: tuple) -> None:
    curve = Johnson.of(*truth)
    x = curve.from_normal(default_rng(3).normal(size=3000))
    found, likelihood = fit_likelihood(x)
    assert found.family == truth[0]
    np.testing.assert_allclose(likelihood, found.log_pdf(x).mean(), rtol=1e-9, atol=1e-9)
    assert likelihood >= curve.log_pdf(x).mean()


def test_as_likely_as_scipys_fit() -> None:
    x = Johnson.of(Family.SU, -0.5, 1.5, 3.0, 2.0).from_normal(default_rng(4).normal(size=2000))
    theirs = stats.johnsonsu(*stats.johnsonsu.fit(x)).logpdf(x).mean()
    assert fit_likelihood(x)[1] > theirs - 1e-6


def test_scale_and_place_do_not_matter() -> None:
    x = Johnson.of(Family.SB, 0.7, 1.1, 0.0, 1.0).from_normal(default_rng(5).normal(size=500))
    near, far = fit_likelihood(x)[0], fit_likelihood(1e4 + 1e-3 * x)[0]
    np.testing.assert_allclose(far.cdf(1e4 + 1e-3 * x), near.cdf(x), atol=1e-6)


@pytest.mark.parametrize("values", [[1.0, 1.0], [1.0], [1.0, np.nan]])
def test_what_has_no_likeliest_curve_is_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match="at least 2 different finite values"):
        fit_likelihood(values)


def test_ages_of_mothers(real_data) -> None:
    # Johnson (1949): SB [.5918 1.2536 15.0 36.5]; quantiles stand for the 631,682 births, spread over the years.
    ages = np.loadtxt(real_data / "johnson" / "age_at_birth.dat")
    spread = ages + default_rng(0).uniform(-0.5, 0.5, ages.size)
    curve, _ = fit_likelihood(np.quantile(spread, (np.arange(512) + 0.5) / 512), ages.size)
    assert curve.family == Family.SB
    for found, published, tolerance in (
        (curve.gamma, 0.5918, 0.08),
        (curve.eta, 1.2536, 0.03),
        (curve.epsilon, 15.0, 0.4),
        (curve.lambda_, 36.5, 0.6),
    ):
        assert abs(found - published) < tolerance
