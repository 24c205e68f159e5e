"""Is one predictor better than another on the same tiles?"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64
from beamforge.errors import InputError, one_of
from beamforge.evaluation.bootstrap import Bootstrap, quantiles, resampled_weights, row_blocks
from beamforge.evaluation.confusion import Counts
from beamforge.evaluation.statistic import HEADLINES, Statistic


class Difference(BaseModel):
    """By how much a first score exceeds a second one on the same tiles.

    Attributes
    ----------
    value
        First score minus second score.
    interval
        From resamples of the tiles, both predictors together; None with a single tile.
    p_value
        Two-sided, of the hypothesis that the two predictors are interchangeable on every tile; None with one tile.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    interval: tuple[float, float] | None = None
    p_value: float | None = None

    def reversed(self) -> Difference:
        """Give by how much the second score exceeds the first."""
        interval = None if self.interval is None else (-self.interval[1], -self.interval[0])
        return Difference(value=-self.value, interval=interval, p_value=self.p_value)

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.value:+.4f}"
        return f"{self.value:+.4f} [{self.interval[0]:+.4f}, {self.interval[1]:+.4f}], p = {self.p_value:.4f}"


def paired_difference(
    first: Counts, second: Counts, metric: str = "dice", bootstrap: Bootstrap | None = None
) -> Difference:
    """Compare two predictors on the same tiles.

    The interval resamples tiles by the percentile method. The p value is that of a permutation test, which swaps the
    results of the two predictors in random tiles.

    Parameters
    ----------
    first, second
        Confusions (tile, class, class) of the two predictors, tile by tile of the same pixels.
    metric
        One of `HEADLINES`.
    bootstrap
        How many resamples and permutations, level and seed.

    Raises
    ------
    InputError
        For an unknown metric, no tiles, or confusions that cannot be of the same tiles.
    """
    bootstrap = bootstrap or Bootstrap()
    if metric not in HEADLINES:
        raise one_of("metric", metric, HEADLINES)
    if first.shape != second.shape or not np.array_equal(first.sum(axis=-1), second.sum(axis=-1)):
        raise InputError(
            f"the two predictors were not judged on the same pixels (confusions of shape {first.shape} and "
            f"{second.shape}); judge both on one data set"
        )
    if not first.any():
        raise InputError("there is no labelled pixel to compare the two predictors on")
    tiles = len(first)
    both = np.concatenate([first, second])
    statistic = HEADLINES[metric]
    value = float(_gap(statistic, both, np.ones((1, tiles)), np.zeros((1, tiles)))[0])
    if tiles < 2:
        return Difference(value=value)
    rng = bootstrap.rng
    replicates = np.concatenate([
        _gap(statistic, both, weights, np.zeros_like(weights))
        for weights in resampled_weights(tiles, bootstrap.resamples, rng)
    ])  # fmt: skip
    kept = (rng.integers(2, size=(rows, tiles)).astype(np.float64) for rows in row_blocks(bootstrap.resamples, tiles))
    swapped = np.concatenate([_gap(statistic, both, weights, 1.0 - weights) for weights in kept])
    # Equal differences must count as equal whatever the order of summation made of their last digits.
    as_far = np.abs(swapped) >= abs(value) - 1e-12
    return Difference(
        value=value,
        interval=quantiles(replicates, bootstrap.tails),
        p_value=float((1 + as_far.sum()) / (1 + bootstrap.resamples)),
    )


def _gap(statistic: Statistic, both: Counts, own: Float64, others: Float64) -> Float64:
    """Give the difference of two scores (row,), each tile of one weighted against the same tile of the other.

    Parameters
    ----------
    statistic
        The score.
    both
        Confusions of the first predictor's tiles, then the second's (2 · tile, class, class).
    own, others
        Weights (row, tile) of a predictor's own tiles and of the other's; (1, 0) leaves them, (0, 1) swaps them.
    """
    as_first = statistic(both, np.concatenate([own, others], axis=1))
    as_second = statistic(both, np.concatenate([others, own], axis=1))
    return as_first - as_second
