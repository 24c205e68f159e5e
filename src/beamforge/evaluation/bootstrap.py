"""Intervals over tiles.

The tiles are treated as exchangeable: an interval says how far a score would move with other tiles like these, not
with another sample, instrument or annotator. Neighbouring tiles of one image share its shading, so the interval of a
single image is a lower bound of the uncertainty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator, default_rng
from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from scipy.special import ndtr, ndtri

from beamforge.arrays import Float64
from beamforge.evaluation.confusion import Counts
from beamforge.evaluation.statistic import Statistic

_WEIGHTS_AT_ONCE = 1 << 21


class Bootstrap(BaseModel):
    """How intervals are computed.

    ``percentile`` takes the quantiles of the resampled scores; ``bca`` corrects them for bias and skewness (Efron
    1987, doi:10.1080/01621459.1987.10478410).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resamples: PositiveInt = 2000
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    method: Literal["percentile", "bca"] = "percentile"
    seed: int = Field(default=0, ge=0)

    @property
    def rng(self) -> Generator:
        """A new random stream of the seed."""
        return default_rng(self.seed)

    @property
    def tails(self) -> Float64:
        """The probabilities below the lower and below the upper end of the interval."""
        return np.array([0.5 * (1.0 - self.level), 0.5 * (1.0 + self.level)])


class Estimate(BaseModel):
    """A score and its interval; no interval where a single tile gives nothing to resample."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.value:.4f}"
        return f"{self.value:.4f} [{self.interval[0]:.4f}, {self.interval[1]:.4f}]"


def point(statistic: Statistic, confusions: Counts) -> Float64:
    """Give the score of the tiles as they are, a scalar array or (class,)."""
    score: Float64 = statistic(confusions, np.ones((1, len(confusions))))[0]
    return score


def row_blocks(rows: int, tiles: int) -> Iterator[int]:
    """Split rows of weights (row, tile) into blocks that fit into memory, and give the rows of each block."""
    most = max(1, _WEIGHTS_AT_ONCE // tiles)
    for start in range(0, rows, most):
        yield min(most, rows - start)


def resampled_weights(tiles: int, resamples: int, rng: Generator) -> Iterator[Float64]:
    """Draw tiles with replacement and yield how often each was drawn, blocks (resample, tile)."""
    for rows in row_blocks(resamples, tiles):
        cells = rng.integers(tiles, size=(rows, tiles)) + tiles * np.arange(rows)[:, None]
        yield np.bincount(cells.ravel(), minlength=rows * tiles).reshape(rows, tiles).astype(np.float64)


def jackknife_weights(tiles: int) -> Iterator[Float64]:
    """Yield weights that leave out one tile each, blocks (tile left out, tile)."""
    start = 0
    for rows in row_blocks(tiles, tiles):
        yield 1.0 - np.eye(rows, tiles, k=start)
        start += rows


def estimate(statistic: Statistic, confusions: Counts, bootstrap: Bootstrap) -> list[Estimate | None]:
    """Give each component of a score with its interval, None where the score is undefined.

    Resamples in which a component is undefined, such as the IoU of a class none of whose tiles was drawn, are left
    out of that component's interval.

    Parameters
    ----------
    statistic
        The score, of one or several components.
    confusions
        (tile, class, class).
    bootstrap
        How the interval is computed. The same seed and number of tiles draw the same resamples, whatever the score.
    """
    values = np.atleast_1d(point(statistic, confusions))
    tiles = len(confusions)
    if tiles < 2:
        return [None if np.isnan(value) else Estimate(value=float(value)) for value in values]
    drawn = resampled_weights(tiles, bootstrap.resamples, bootstrap.rng)
    replicates = np.concatenate([statistic(confusions, weights) for weights in drawn])
    replicates = replicates.reshape(bootstrap.resamples, len(values))
    left_out = None
    if bootstrap.method == "bca":
        left_out = np.concatenate([statistic(confusions, weights) for weights in jackknife_weights(tiles)])
        left_out = left_out.reshape(tiles, len(values))
    estimates: list[Estimate | None] = []
    for component, value in enumerate(values.tolist()):
        if np.isnan(value):
            estimates.append(None)
            continue
        tails = bootstrap.tails
        if left_out is not None:
            tails = bca_tails(tails, value, replicates[:, component], left_out[:, component])
        estimates.append(Estimate(value=value, interval=quantiles(replicates[:, component], tails)))
    return estimates


def bca_tails(tails: Float64, value: float, replicates: Float64, left_out: Float64) -> Float64:
    """Move tail probabilities for the bias and the skewness of a bootstrap distribution.

    Source: Efron 1987, the bias from the share of resamples below the score, the acceleration by the jackknife.

    Parameters
    ----------
    tails
        Probabilities below the two ends.
    value
        The score itself.
    replicates
        Its resamples (resample,).
    left_out
        The score with each tile left out (tile,).
    """
    defined = replicates[~np.isnan(replicates)]
    below = float(np.mean(defined < value) + 0.5 * np.mean(defined == value))
    # All resamples on one side of the score leave the bias unbounded; half a resample is the most that is known.
    half = 0.5 / len(defined)
    bias = ndtri(min(max(below, half), 1.0 - half))
    deviations = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = float(np.sum(deviations**2))
    acceleration = float(np.sum(deviations**3)) / (6.0 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + ndtri(tails)
    moved: Float64 = ndtr(bias + shifted / (1.0 - acceleration * shifted))
    return moved


def quantiles(replicates: Float64, tails: Float64) -> tuple[float, float]:
    """Give the ends of an interval from resamples (resample,), those undefined left out."""
    low, high = np.nanquantile(replicates, tails)
    return float(low), float(high)
