import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from beamforge.statistics.johnson import Family, Johnson

SHAPES = {
    "gamma": st.floats(-2, 2),
    "eta": st.floats(0.6, 4),
    "epsilon": st.floats(-50, 50),
    "lambda_": st.floats(0.1, 40),
}


def oracle(family: Family, gamma: float, eta: float, epsilon: float, lambda_: float) -> object:
    """The same curve in scipy."""
    if family == Family.SU:
        return stats.johnsonsu(gamma, eta, epsilon, lambda_)
    if family == Family.SB:
        return stats.johnsonsb(gamma, eta, epsilon, lambda_)
    if family == Family.SL:  # ln((x - epsilon)/lambda) is normal with mean -gamma/eta and standard deviation 1/eta
        return stats.lognorm(1 / eta, epsilon, lambda_ * np.exp(-gamma / eta))
    return stats.norm(epsilon - lambda_ * gamma / eta, lambda_ / eta)


@given(st.sampled_from(list(Family)), *SHAPES.values())
def test_all_functions_against_scipy(family: Family, gamma: float, eta: float, epsilon: float, lambda_: float) -> None:
    ours = Johnson.of(family, gamma, eta, epsilon, lambda_)
    theirs = oracle(family, gamma, eta, epsilon, lambda_)
    p = np.array([1e-9, 1e-3, 0.02, 0.3, 0.5, 0.8, 0.999])
    x = theirs.ppf(p)
    np.testing.assert_allclose(ours.quantile(p), x, rtol=1e-9, atol=1e-9 * lambda_)
    inner = x[1:]
    np.testing.assert_allclose(ours.cdf(inner), p[1:], rtol=1e-7)
    np.testing.assert_allclose(ours.pdf(inner), theirs.pdf(inner), rtol=1e-6)
    np.testing.assert_allclose(ours.log_cdf(inner), np.log(p[1:]), atol=1e-7)
    np.testing.assert_allclose(ours.log_sf(inner), theirs.logsf(inner), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.from_normal(ours.to_normal(inner)), inner, rtol=1e-9, atol=1e-9 * lambda_)


def test_a_left_tailed_log_normal_is_the_mirror_image() -> None:
    right, left = Johnson.of(Family.SL, 0.3, 1.4, 2.0, 1.0), Johnson.of(Family.SL, -0.3, -1.4, -2.0, -1.0)
    x = np.linspace(2.1, 9, 30)
    np.testing.assert_allclose(left.pdf(-x), right.pdf(x))
    np.testing.assert_allclose(left.to_normal(-x), -right.to_normal(x))


def test_outside_the_support() -> None:
    bounded = Johnson.of(Family.SB, 0.5, 1.2, 1.0, 2.0)
    np.testing.assert_array_equal(bounded.to_normal([0.5, 1.0, 3.0, 3.5]), [-np.inf, -np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(bounded.pdf([0.5, 3.5]), 0.0)
    assert Johnson.of(Family.SL, -0.3, -1.4, 2.0, -1.0).to_normal(2.5) == np.inf


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_arrays_of_curves_equal_single_ones(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    curves = Johnson.of(rng.integers(0, 4, shape), rng.normal(size=shape), rng.uniform(1, 2, shape), 0.0, 1.0)
    z = rng.normal(size=(*shape, 5))
    values = curves.from_normal(z)
    assert values.shape == z.shape
    for place in np.ndindex(*shape):
        np.testing.assert_array_equal(values[place], curves[place].from_normal(z[place]))
    assert curves.quantile(np.array([0.1, 0.5])).shape == (*shape, 2)
