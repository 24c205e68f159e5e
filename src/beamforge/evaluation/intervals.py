"""Intervals of means over repeated runs, and of proportions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap, bca_tails, quantiles, resampled_weights

Ends = tuple[float, float]


def t_interval(values: ArrayLike, level: float = 0.99) -> Ends | None:
    """Give the interval of a mean by Student's t, None for a single value.

    Parameters
    ----------
    values
        Independent values (repeat,), such as the scores of runs that differ in their seed.
    level
        How often such intervals hold the mean of infinitely many values, if they are normal.

    Raises
    ------
    InputError
        If there is no value or one that is not finite, or the level is no probability.
    """
    sample = checked_sample(values)
    _check_level(level)
    if len(sample) < 2:
        return None
    half = stats.t.ppf(0.5 * (1 + level), len(sample) - 1) * sample.std(ddof=1) / math.sqrt(len(sample))
    return float(sample.mean() - half), float(sample.mean() + half)


def bootstrap_interval(values: ArrayLike, bootstrap: Bootstrap) -> Ends | None:
    """Give the interval of a mean by resampling the values, None for a single value.

    With few values it is too short: its ends lie inside the range of the values, and the standard deviation of the
    resamples is √((n-1)/n) of what t uses. From some 20 values on the two agree unless outliers skew the sample.

    Parameters
    ----------
    values
        Independent values (repeat,).
    bootstrap
        Resamples, level, method and seed.

    Raises
    ------
    InputError
        If there is no value or one that is not finite.
    """
    sample = checked_sample(values)
    count = len(sample)
    if count < 2:
        return None
    drawn = resampled_weights(count, bootstrap.resamples, bootstrap.rng)
    means = np.concatenate([weights @ sample for weights in drawn]) / count
    tails = bootstrap.tails
    if bootstrap.method == "bca":
        left_out = (sample.sum() - sample) / (count - 1)
        tails = bca_tails(tails, float(sample.mean()), means, left_out)
    return quantiles(means, tails)


def agresti_coull(successes: float, trials: int, level: float = 0.99) -> Ends:
    """Give the interval of a proportion.

    Source: Agresti and Coull 1998, doi:10.1080/00031305.1998.10480550: with z the normal quantile, z²/2 successes and
    as many failures are added before the interval of a normal mean is taken. It holds the proportion at least as
    often as it says on average, also where few or no successes were seen; its ends are cut at 0 and 1.

    Parameters
    ----------
    successes
        How many trials succeeded, such as wrong images; the mean over repeats need not be whole.
    trials
        How many independent trials there were, such as images judged. Runs that judge the same images again add none.
    level
        How often such intervals hold the proportion.

    Raises
    ------
    InputError
        If there are no trials, or more successes than trials, or the level is no probability.
    """
    _check_level(level)
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError(f"{successes} successes of {trials} trials: expected 0 to as many as there are, at least one")
    z = float(stats.norm.ppf(0.5 * (1 + level)))
    total = trials + z**2
    centre = (successes + 0.5 * z**2) / total
    half = z * math.sqrt(centre * (1 - centre) / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def checked_sample(values: ArrayLike) -> Float64:
    """Give values as float64 (repeat,).

    Raises
    ------
    InputError
        If there is none, or one that is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample):
        raise InputError(f"values of shape {sample.shape}, expected one for each repeat (repeat,)")
    if not np.isfinite(sample).all():
        raise InputError(f"the values {sample.tolist()} are not all finite; find the run that gave none")
    return sample


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"the level of an interval is {level}, expected a probability such as 0.99")
