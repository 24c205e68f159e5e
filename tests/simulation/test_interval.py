"""Laws of the intervals that parameters are drawn from and moved within."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from pydantic import BaseModel, ValidationError
from scipy import stats

from beamforge.simulation import IntegerInterval, Interval, LogInterval, MeasuredInterval

SEEDS = st.integers(0, 2**32)
SPREADS = st.floats(0, 1)
NUMBERS = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-6, 1e6)


def ordered(kind: type[Interval], ends: st.SearchStrategy) -> st.SearchStrategy[Interval]:
    return st.tuples(ends, ends).map(lambda pair: kind(low=min(pair), high=max(pair)))


INTERVALS = st.one_of(
    ordered(Interval, NUMBERS), ordered(LogInterval, POSITIVE), ordered(IntegerInterval, st.integers(-1000, 1000))
)


@given(INTERVALS, SEEDS)
def test_draws_lie_inside(interval: Interval, seed: int) -> None:
    assert interval.draw(default_rng(seed)) in interval


@given(INTERVALS, SEEDS, SPREADS)
def test_moves_lie_inside_and_near(interval: Interval, seed: int, spread: float) -> None:
    rng = default_rng(seed)
    value = interval.draw(rng)
    moved = interval.move(value, rng, spread)
    assert moved in interval
    if isinstance(interval, LogInterval):
        width, distance = math.log(interval.high / interval.low), abs(math.log(moved / value))
    else:
        width, distance = interval.high - interval.low, abs(moved - value)
    slack = 1 if isinstance(interval, IntegerInterval) else 1e-9 * max(1, abs(value))
    assert distance <= spread * width + slack


@given(INTERVALS, SEEDS)
def test_no_spread_moves_nothing(interval: Interval, seed: int) -> None:
    rng = default_rng(seed)
    value = interval.draw(rng)
    assert interval.move(value, rng, 0.0) == pytest.approx(value, rel=1e-12)


@given(INTERVALS)
def test_written_as_a_pair_and_read_again(interval: Interval) -> None:
    written = interval.model_dump_json()
    assert json.loads(written) == [interval.low, interval.high]
    assert type(interval).model_validate_json(written) == interval


@given(NUMBERS, SEEDS)
def test_one_number_does_not_vary(value: float, seed: int) -> None:
    interval = Interval.model_validate(value)
    assert interval.draw(default_rng(seed)) == value == interval.move(value, default_rng(seed), 1.0)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval(low=-2, high=5), stats.uniform(-2, 7)),
        (LogInterval(low=0.01, high=100), stats.loguniform(0.01, 100)),
    ],
)
def test_distribution_of_the_draws(interval: Interval, expected: stats.distributions.rv_frozen) -> None:
    rng = default_rng(4)
    assert stats.kstest([interval.draw(rng) for _ in range(4000)], expected.cdf).pvalue > 1e-3
    far = [interval.move(interval.low, rng, 1.0) for _ in range(4000)]
    assert stats.kstest(far, expected.cdf).pvalue > 1e-3


def test_whole_numbers_are_equally_likely_with_both_ends() -> None:
    interval, rng = IntegerInterval(low=-1, high=3), default_rng(4)
    values, counts = np.unique([interval.draw(rng) for _ in range(5000)], return_counts=True)
    assert values.tolist() == [-1, 0, 1, 2, 3]
    assert stats.chisquare(counts).pvalue > 1e-3
    assert isinstance(interval.draw(rng), int)
    assert {interval.move(1, rng, 0.01) for _ in range(100)} == {0, 1, 2}


class Config(BaseModel):
    width: Interval


@pytest.mark.parametrize(
    "value", [[2, 1], [1, 2, 3], [1], [math.nan, 1], [0, math.inf], True, "wide", {"low": 1, "high": 2, "middle": 1}]
)
def test_what_is_no_interval_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="width"):
        Config.model_validate({"width": value})


def test_a_logarithm_needs_positive_numbers_and_whole_numbers_no_fractions() -> None:
    with pytest.raises(ValidationError, match="starts above 0"):
        LogInterval(low=0, high=1)
    with pytest.raises(ValidationError, match="integer"):
        IntegerInterval(low=0.5, high=2)


def test_measured_draws_follow_the_quantiles() -> None:
    interval = MeasuredInterval.model_validate([1.0, 2.0, 10.0])
    rng = default_rng(3)
    draws = np.array([interval.draw(rng) for _ in range(2000)])
    assert interval.low <= draws.min() < draws.max() <= interval.high
    # Half of them lie below the middle quantile.
    assert abs((draws < 2.0).mean() - 0.5) < 4 * np.sqrt(0.25 / 2000)
    assert interval.model_dump() == [1.0, 2.0, 10.0]
    moved = [interval.move(2.0, rng, 0.1) for _ in range(100)]
    assert min(moved) >= 1.1 - 1e-9
    assert max(moved) <= 2.9 + 1e-9


def test_measured_quantiles_of_weighted_values() -> None:
    assert MeasuredInterval.of([3.0, 1.0, 2.0], 3).quantiles == (1.0, 2.0, 3.0)
    heavy = MeasuredInterval.of([1.0, 2.0, 3.0], 5, np.array([1.0, 1.0, 8.0]))
    assert heavy.quantiles == (1.0, 3.0, 3.0, 3.0, 3.0)
    assert MeasuredInterval.model_validate(4.0).quantiles == (4.0, 4.0)


@pytest.mark.parametrize("wrong", [[3.0, 1.0], [1.0, 3.0, 2.0], [1.0], [0.0, float("nan"), 1.0], True])
def test_quantiles_that_fall_are_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        MeasuredInterval.model_validate(wrong)
