"""Is one way better than another over runs that differ in their seed alone?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict
from scipy import stats

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap
from beamforge.evaluation.intervals import Ends, bootstrap_interval, checked_sample, t_interval

_ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Differences whose spread is below this share of the values are constant: what is left is rounding."""


class PairedComparison(BaseModel):
    """A first way against a second one in the same repeats; None where the repeats cannot say.

    Repeats that all differ by the same amount, as few and coarse ones may by chance, say nothing about the spread:
    then there is neither an interval nor a t-test nor an effect size.

    Attributes
    ----------
    first, second
        Names of the two.
    count
        Repeats.
    difference, sd
        Mean and standard deviation (n - 1) of first minus second.
    t_interval, bootstrap_interval
        Intervals of the mean difference.
    t_p_value, wilcoxon_p_value
        Two-sided, of the paired t-test and of Wilcoxon's signed-rank test. They are not corrected for several
        comparisons.
    cohen_d
        Mean difference in standard deviations of the differences (Cohen 1988, d_z).
    hedges_g
        The same without the bias of small samples (Hedges 1981): times Γ(ν/2) / (√(ν/2) Γ((ν-1)/2)), ν = n - 1.
    rank_biserial
        Sum of the signed ranks over the sum of the ranks (Kerby 2014), from -1 to 1.
    wins
        Share of the repeats in which the first is above the second, ties as half.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    first: str
    second: str
    count: int
    difference: float
    sd: float | None = None
    t_interval: Ends | None = None
    bootstrap_interval: Ends | None = None
    t_p_value: float | None = None
    wilcoxon_p_value: float | None = None
    cohen_d: float | None = None
    hedges_g: float | None = None
    rank_biserial: float
    wins: float


def compare_paired(
    first: ArrayLike, second: ArrayLike, *, names: tuple[str, str] = ("first", "second"), bootstrap: Bootstrap
) -> PairedComparison:
    """Compare two ways in repeats that share their seeds.

    Parameters
    ----------
    first, second
        Scores (repeat,); values at the same place are of the same seed.
    names
        What the two are.
    bootstrap
        Level of both intervals, and how the one by resampling is computed.

    Raises
    ------
    InputError
        If the two differ in length, or a value is not finite.
    """
    one, other = checked_sample(first), checked_sample(second)
    if len(one) != len(other):
        raise InputError(f"{names[0]} has {len(one)} repeats and {names[1]} {len(other)}; pairs need as many")
    gaps = one - other
    scale = max(float(np.abs(one).max()), float(np.abs(other).max()))
    if float(np.ptp(gaps)) <= _ROUNDING * scale:
        gaps = np.full_like(gaps, float(gaps.mean()) if abs(gaps.mean()) > _ROUNDING * scale else 0.0)
    says_spread = bool(np.ptp(gaps) > 0 or not gaps.any())
    return PairedComparison(
        first=names[0],
        second=names[1],
        count=len(gaps),
        difference=float(gaps.mean()),
        t_interval=t_interval(gaps, bootstrap.level) if says_spread else None,
        bootstrap_interval=bootstrap_interval(gaps, bootstrap) if says_spread else None,
        rank_biserial=_rank_biserial(gaps),
        wins=float(np.mean(gaps > 0) + 0.5 * np.mean(gaps == 0)),
        **_tests(gaps),
    )


def _tests(gaps: Float64) -> dict[str, float | None]:
    """Give what needs a spread: a single difference has none, equal ones leave effect sizes undefined."""
    if len(gaps) < 2:
        return {}
    if not gaps.any():
        return {"sd": 0.0, "t_p_value": 1.0, "wilcoxon_p_value": 1.0, "cohen_d": 0.0, "hedges_g": 0.0}
    wilcoxon = float(stats.wilcoxon(gaps).pvalue)
    if np.ptp(gaps) == 0:
        return {"sd": 0.0, "wilcoxon_p_value": wilcoxon}
    sd = float(gaps.std(ddof=1))
    effect = float(gaps.mean()) / sd
    return {
        "sd": sd,
        "t_p_value": float(stats.ttest_1samp(gaps, 0.0).pvalue),
        "wilcoxon_p_value": wilcoxon,
        "cohen_d": effect,
        "hedges_g": effect * _unbiasing(len(gaps) - 1) if len(gaps) > 2 else None,
    }


def _unbiasing(freedom: int) -> float:
    """Give Hedges' factor; its logarithm, as the gamma functions overflow from some 340 repeats on."""
    half = 0.5 * freedom
    return math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half)


def _rank_biserial(gaps: Float64) -> float:
    different = gaps[gaps != 0]
    if not len(different):
        return 0.0
    ranks = stats.rankdata(np.abs(different))
    return float(np.sum(np.sign(different) * ranks) / ranks.sum())
