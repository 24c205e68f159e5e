import math

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, compare_paired

FEW = Bootstrap(resamples=2000, level=0.99, seed=4)
# Sleep of the same ten patients under two drugs, additional hours (Student 1908); the paired test gives t = -4.0621,
# 9 degrees of freedom, p = 0.002833, 95 % interval [-2.4598858, -0.7001142] (R's t.test of its data set sleep).
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_sleep() -> None:
    found = compare_paired(FIRST, SECOND, names=("one", "other"), bootstrap=FEW.model_copy(update={"level": 0.95}))
    assert (found.first, found.second, found.count) == ("one", "other", 10)
    assert found.difference == pytest.approx(-1.58)
    assert found.t_p_value == pytest.approx(0.002833, abs=5e-7)
    assert found.t_interval == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)
    assert found.cohen_d == pytest.approx(-4.0621 / math.sqrt(10), abs=2e-5)
    assert found.wins == pytest.approx(0.05)
    assert found.rank_biserial == pytest.approx(-1.0)


def test_p_values_are_those_of_scipys_paired_tests() -> None:
    rng = default_rng(8)
    one, other = rng.normal(0.78, 0.01, 15), rng.normal(0.77, 0.01, 15)
    found = compare_paired(one, other, bootstrap=FEW)
    assert found.t_p_value == pytest.approx(float(stats.ttest_rel(one, other).pvalue), rel=1e-9)
    assert found.wilcoxon_p_value == pytest.approx(float(stats.wilcoxon(one, other).pvalue), rel=1e-9)
    expected = stats.bootstrap(
        (one - other,), np.mean, n_resamples=2000, confidence_level=0.99, method="percentile", rng=default_rng(4)
    )
    assert found.bootstrap_interval == pytest.approx(tuple(expected.confidence_interval), rel=1e-9)


def test_rank_biserial_is_the_share_of_ranks_in_favour_minus_that_against() -> None:
    # Ranks 1, 2, 3, 4 of 0.1, -0.2, 0.3, 0.4.
    found = compare_paired([0.1, -0.2, 0.3, 0.4], [0.0] * 4, bootstrap=FEW)
    assert found.rank_biserial == pytest.approx((1 + 3 + 4 - 2) / 10)


@pytest.mark.parametrize(
    ("freedom", "factor"), [(2, 0.5642), (3, 0.7236), (4, 0.7979), (5, 0.8408), (10, 0.9228), (50, 0.9849)]
)
def test_hedges_factor_is_that_of_his_table(freedom, factor) -> None:
    gaps = default_rng(1).normal(0.8, 1.0, freedom + 1)
    found = compare_paired(gaps, np.zeros_like(gaps), bootstrap=FEW)
    assert found.hedges_g == pytest.approx(factor * found.cohen_d, rel=1e-4)


def test_the_other_way_round_signs_change() -> None:
    here = compare_paired(FIRST, SECOND, bootstrap=FEW)
    there = compare_paired(SECOND, FIRST, bootstrap=FEW)
    for name in ("difference", "cohen_d", "hedges_g", "rank_biserial"):
        assert getattr(there, name) == pytest.approx(-getattr(here, name), rel=1e-12)
    assert there.wins == pytest.approx(1 - here.wins)
    assert there.t_p_value == pytest.approx(here.t_p_value)


def test_nothing_differs_from_itself() -> None:
    found = compare_paired(FIRST, FIRST, bootstrap=FEW)
    assert (found.difference, found.t_p_value, found.wilcoxon_p_value, found.rank_biserial) == (0, 1, 1, 0)
    assert found.wins == 0.5


def test_a_constant_gap_has_no_effect_size() -> None:
    found = compare_paired([0.3, 0.5, 0.7, 0.9], [0.2, 0.4, 0.6, 0.8], bootstrap=FEW)
    assert found.difference == pytest.approx(0.1)
    assert (found.sd, found.cohen_d, found.t_p_value, found.t_interval) == (0.0, None, None, None)
    assert found.wilcoxon_p_value == pytest.approx(2 / 2**4)


def test_one_repeat_decides_nothing() -> None:
    found = compare_paired([0.8], [0.7], bootstrap=FEW)
    assert found.difference == pytest.approx(0.1)
    assert (found.sd, found.t_p_value, found.wilcoxon_p_value, found.t_interval) == (None, None, None, None)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="a has 2 repeats and b 1"):
        compare_paired([0.1, 0.2], [0.1], names=("a", "b"), bootstrap=FEW)
