import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import integrate, stats

from beamforge.statistics.goodness import anderson_darling, kolmogorov_smirnov, wasserstein


@given(st.integers(0, 2**32), st.integers(3, 200), st.floats(-1, 1))
def test_kolmogorov_smirnov_against_scipy(seed: int, n: int, shift: float) -> None:
    x = np.sort(default_rng(seed).normal(shift, 1, (2, n)), axis=1)
    ours = kolmogorov_smirnov(stats.norm.cdf(x))
    np.testing.assert_allclose(ours, [stats.kstest(row, "norm").statistic for row in x], atol=1e-14)


@given(st.integers(0, 2**32), st.integers(3, 200))
def test_wasserstein_against_scipy(seed: int, n: int) -> None:
    x = np.sort(default_rng(seed).normal(0.3, 2, (2, n)), axis=1)
    fitted = stats.norm.ppf((np.arange(n) + 0.5) / n)
    ours = wasserstein(x, fitted, [1.0, 2.0])
    theirs = [stats.wasserstein_distance(row, fitted) / scale for row, scale in zip(x, (1, 2), strict=True)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 20))
def test_anderson_darling_is_its_integral(seed: int, n: int) -> None:
    x = np.sort(default_rng(seed).normal(0.2, 1.3, n))
    u = np.concatenate(([0.0], stats.norm.cdf(x), [1.0]))

    def piece(k: int) -> float:  # between values the empirical function is k/n
        return integrate.quad(lambda f: (k / n - f) ** 2 / (f * (1 - f)), u[k], u[k + 1], epsabs=1e-10)[0]

    wanted = n * sum(piece(k) for k in range(n + 1))
    np.testing.assert_allclose(anderson_darling(stats.norm.logcdf(x), stats.norm.logsf(x)), wanted, rtol=1e-6)


def test_anderson_darling_outside_the_support_is_infinite() -> None:
    assert anderson_darling([-np.inf, -0.1], [0.0, -2.0]) == np.inf
