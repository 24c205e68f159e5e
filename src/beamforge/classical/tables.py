"""Log-densities and normal scores by table, so that their cost does not depend on the kind of curve.

Inside the measured range of a class and channel the table is even in the value; outside, where nothing but the tails
of the law is left, it is even in the logarithm of the distance from the range. Between nodes both are interpolated
linearly: the steps of an empirical density become ramps of one node's width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from beamforge.arrays import Float64
from beamforge.statistics.compiled import compiled
from beamforge.statistics.marginals import Marginals

INSIDE = 2048
"""Nodes over the measured range."""
OUTSIDE = 64
"""Nodes on either side of it."""
FARTHEST = 1e6
"""Values farther than this many widths of the range away count as being there."""


@dataclass(frozen=True)
class Tables:
    """Tabulated laws.

    Attributes
    ----------
    low, high
        (class, channel) measured range.
    density
        (class, channel, node) log-density, the nodes below the range from far to near, inside, above.
    score
        (class, channel, node) normal score.
    """

    low: Float64
    high: Float64
    density: Float64
    score: Float64

    @classmethod
    def of(cls, marginals: Marginals) -> Self:
        """Tabulate the laws of all classes and channels."""
        low, high = np.asarray(marginals.low), np.asarray(marginals.high)
        width = (high - low)[..., None]
        away = np.expm1(np.linspace(0.0, np.log1p(FARTHEST), OUTSIDE)) * width
        # The law jumps at the ends of the range: the nearest nodes outside lie just beyond them.
        below = np.minimum(low[..., None] - away, np.nextafter(low, -np.inf)[..., None])
        above = np.maximum(high[..., None] + away, np.nextafter(high, np.inf)[..., None])
        inside = low[..., None] + np.linspace(0.0, 1.0, INSIDE) * width
        nodes = np.concatenate([below[..., ::-1], np.clip(inside, low[..., None], high[..., None]), above], axis=-1)
        classes = range(len(low))
        density = np.stack([marginals.log_density(nodes[label], label) for label in classes])
        score = np.stack([marginals.to_normal(nodes[label], label) for label in classes])
        return cls(low, high, density, score)

    def look_up(self, values: Float64, channels: np.ndarray, label: int) -> tuple[Float64, Float64]:
        """Read the tables of a class.

        Parameters
        ----------
        values
            Finite values (channel, pixel) of the given channels.
        channels
            Which channels these are.
        label
            Class number.

        Returns
        -------
        density
            (pixel,) sum over the channels of the log-densities.
        scores
            (channel, pixel) normal scores.
        """
        total, scores = np.zeros(values.shape[1]), np.empty(values.shape)
        for row, channel in enumerate(channels):
            low, high = self.low[label, channel], self.high[label, channel]
            _read(values[row], low, high, self.density[label, channel], self.score[label, channel], total, scores[row])
        return total, scores


@compiled
def _read(
    values: Float64, low: float, high: float, density: Float64, score: Float64, total: Float64, scores: Float64
) -> None:
    """Interpolate two tables of one class and channel; add the first to `total` and write the second to `scores`."""
    width = high - low
    per_value = (INSIDE - 1) / width
    per_logarithm = (OUTSIDE - 1) / np.log1p(FARTHEST)
    for pixel in range(values.size):
        value = values[pixel]
        if low <= value <= high:
            place = (value - low) * per_value
            node = min(int(place), INSIDE - 2)
            first = OUTSIDE + node
        else:
            distance = max(low - value, value - high) / width
            place = min(np.log1p(distance) * per_logarithm, OUTSIDE - 1.0)
            node = min(int(place), OUTSIDE - 2)
            if value < low:
                place = OUTSIDE - 1 - place
                node = OUTSIDE - 2 - node
                first = node
            else:
                first = OUTSIDE + INSIDE + node
        part = place - node
        total[pixel] += density[first] + part * (density[first + 1] - density[first])
        scores[pixel] = score[first] + part * (score[first + 1] - score[first])
