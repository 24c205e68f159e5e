import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import stats

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, agresti_coull, bootstrap_interval, t_interval

# Sleep of ten patients, additional hours (Student 1908); R's t.test(extra) gives these ends for the second drug.
STUDENT = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_t_interval_of_students_own_data() -> None:
    low, high = t_interval(STUDENT, 0.95) or (math.nan, math.nan)
    assert low == pytest.approx(0.8976775, abs=1e-6)
    assert high == pytest.approx(3.7623225, abs=1e-6)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_t_interval_is_that_of_scipys_test(level) -> None:
    values = default_rng(3).normal(0.7, 0.02, 12)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert t_interval(values, level) == pytest.approx(tuple(expected), rel=1e-12)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_interval_is_that_of_scipy(method) -> None:
    values = default_rng(5).gamma(2.0, 1.0, 14)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, confidence_level=0.99, method=method, rng=default_rng(9)
    ).confidence_interval
    found = bootstrap_interval(values, Bootstrap(resamples=4000, level=0.99, method=method, seed=9))
    # The same seed draws the same resamples there; summing in another order moves the count of those below by rounding.
    assert found == pytest.approx(tuple(expected), rel=1e-6 if method == "percentile" else 5e-3)


def test_one_value_has_no_interval() -> None:
    assert t_interval([0.5]) is None
    assert bootstrap_interval([0.5], Bootstrap()) is None


def test_equal_values_leave_a_point() -> None:
    assert t_interval([0.25] * 4) == (0.25, 0.25)
    assert bootstrap_interval([0.25] * 4, Bootstrap(resamples=50)) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("successes", "trials", "level", "expected"),
    [
        # proportion_confint(..., method="agresti_coull") of statsmodels 0.15.0
        (0, 20, 0.99, (0.0, 0.2893625451375291)),
        (7, 80, 0.99, (0.02945650063518035, 0.20872577245104365)),
        (40, 50, 0.95, (0.6676938950858149, 0.8894975454341698)),
        (200, 200, 0.99, (0.9614236722990819, 1.0)),
        (123, 1345, 0.90, (0.07930302148891076, 0.10523695066010684)),
    ],
)
def test_agresti_coull_is_that_of_statsmodels(successes, trials, level, expected) -> None:
    assert agresti_coull(successes, trials, level) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_agresti_coull_holds_wilsons_interval(trials, share, level) -> None:
    successes = round(share * trials)
    low, high = agresti_coull(successes, trials, level)
    wilson = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    assert low <= wilson.low + 1e-12
    assert high >= wilson.high - 1e-12


def test_agresti_coull_holds_the_proportion_as_often_as_it_says() -> None:
    trials, level = 40, 0.95
    ends = np.array([agresti_coull(successes, trials, level) for successes in range(trials + 1)])
    truths = np.linspace(0.01, 0.99, 99)
    holds = (ends[:, :1] <= truths) & (truths <= ends[:, 1:])
    chances = stats.binom.pmf(np.arange(trials + 1)[:, None], trials, truths)
    coverage = (holds * chances).sum(axis=0)
    assert coverage.mean() >= level
    assert coverage.min() > 0.92


@pytest.mark.parametrize(
    ("values", "message"), [([], "one for each repeat"), ([0.5, math.nan], "not all finite"), ([[0.5]], "shape")]
)
def test_unfit_values_are_refused(values, message) -> None:
    with pytest.raises(InputError, match=message):
        t_interval(values)
    with pytest.raises(InputError, match=message):
        bootstrap_interval(values, Bootstrap())


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 5), (0, 0), (math.nan, 5)])
def test_impossible_proportions_are_refused(successes, trials) -> None:
    with pytest.raises(InputError, match="successes of"):
        agresti_coull(successes, trials)


@pytest.mark.parametrize("level", [0.0, 1.0, 99])
def test_levels_are_probabilities(level) -> None:
    with pytest.raises(InputError, match="level"):
        t_interval([1.0, 2.0], level)
    with pytest.raises(InputError, match="level"):
        agresti_coull(1, 2, level)
