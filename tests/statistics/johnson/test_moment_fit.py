import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from beamforge.errors import InputError
from beamforge.statistics.johnson import Family, fit_moments
from beamforge.statistics.johnson.moment_fit import log_normal_kurtosis


@pytest.mark.parametrize(
    ("skewness", "published", "tolerance"),
    [(2.0, (-0.6626648, 1.8136194, -0.6776508), 2e-7), (3.0, (0.076578, 1.3975, -0.2229), 5e-5)],
)
def test_published_log_normal_values(skewness: float, published: tuple, tolerance: float) -> None:
    curve = fit_moments(1.0, 1.0, skewness, np.nan)
    assert curve.family == Family.SL
    np.testing.assert_allclose([curve.gamma, curve.eta, curve.epsilon], published, atol=tolerance)


def moments(family: Family, gamma: float, eta: float) -> list[float]:
    """Mean, standard deviation, skewness and kurtosis, from scipy's closed forms or by Gauss-Hermite quadrature."""
    if family == Family.SU:
        mean, variance, skewness, excess = (float(v) for v in stats.johnsonsu.stats(gamma, eta, moments="mvsk"))
        return [mean, np.sqrt(variance), skewness, excess + 3]
    z, weights = np.polynomial.hermite_e.hermegauss(150)
    weights = weights / weights.sum()
    u = 1 / (1 + np.exp((gamma - z) / eta))
    mean = weights @ u
    sd = np.sqrt(weights @ (u - mean) ** 2)
    return [mean, sd, weights @ ((u - mean) / sd) ** 3, weights @ ((u - mean) / sd) ** 4]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([Family.SU, Family.SB]), st.floats(-1.2, 1.2), st.floats(1.2, 2.5), st.floats(0.2, 9))
def test_moments_of_a_curve_give_it_back(family: Family, gamma: float, eta: float, scale: float) -> None:
    mean, sd, skewness, kurtosis = moments(family, gamma, eta)
    assume(abs(kurtosis - log_normal_kurtosis(skewness)[0]) > 0.02)  # nearer to the line the log-normal is taken
    curve = fit_moments(5 + scale * mean, scale * sd, skewness, kurtosis)
    assert curve.family == family
    np.testing.assert_allclose([curve.gamma, curve.eta], [gamma, eta], atol=1e-6, rtol=1e-6)
    np.testing.assert_allclose([curve.epsilon, curve.lambda_], [5, scale], atol=1e-5 * scale, rtol=1e-5)


def test_normal_moments_give_the_normal() -> None:
    curve = fit_moments([3.0, 4.0], [2.0, 1.0], 0.0, 3.0)
    np.testing.assert_array_equal(curve.family, Family.SN)
    np.testing.assert_allclose(curve.quantile(np.array([0.5]))[:, 0], [3.0, 4.0])


@pytest.mark.parametrize(("sd", "skewness", "kurtosis"), [(0.0, 0.0, 3.0), (1.0, 2.0, 4.9)])
def test_impossible_moments_are_refused(sd: float, skewness: float, kurtosis: float) -> None:
    with pytest.raises(InputError, match=r"positive|no curve has skewness 2\.0 and kurtosis 4\.9"):
        fit_moments(0.0, sd, skewness, kurtosis)
