"""Which network to take, and why."""

from __future__ import annotations

from dataclasses import dataclass

from beamforge.evaluation.repeats import Repeats
from beamforge.recipes.comparison.results import LEVEL, ComparisonResult
from beamforge.reporting.numbers import format_number

FIGURE = "mean IoU"
_CLOSE = 0.01
"""What a network may lie below the best in mean IoU and still be taken for its speed."""
_FASTER = 1.5
"""How many times faster it must predict for that."""


@dataclass(frozen=True)
class Recommendation:
    """The network to take.

    Attributes
    ----------
    row
        Its row.
    reason
        Why, in a sentence or two.
    """

    row: str
    reason: str


def recommend(result: ComparisonResult) -> Recommendation:
    """Take the network with the best mean IoU over the seeds, or the fastest of those less than 0.01 below it.

    The latter only if it predicts at least 1.5 times faster. How sure the order is does not decide: few seeds that
    scatter cannot tell a bad network from a good one, which is no reason to take the bad one. The reason names those
    that cannot be told from the one taken.
    """
    repeats = result.repeats(FIGURE)
    if repeats is None:
        raise ValueError("a comparison judges at least one row")
    means = {row: repeats.summary(row).mean for row in result.networks}
    best = max(means, key=lambda row: means[row])
    close = [row for row in means if means[best] - means[row] < _CLOSE]
    fastest = min(close, key=lambda row: result.costs[row].predict_seconds)
    faster = result.costs[best].predict_seconds / result.costs[fastest].predict_seconds
    chosen = fastest if faster >= _FASTER else best
    reason = _reason(result, means, best, chosen) + _doubt(repeats, chosen, means)
    return Recommendation(chosen, reason + _against_classical(result, repeats, means, chosen))


def _reason(result: ComparisonResult, means: dict[str, float], best: str, chosen: str) -> str:
    seeds = len(result.seeds)
    over = f"over {seeds} seeds" if seeds > 1 else "with one seed, which says nothing about its spread"
    told = f"{best} has the highest mean IoU of the networks, {means[best]:.3f} {over}"
    if chosen == best:
        return f"{told}."
    faster = result.costs[best].predict_seconds / result.costs[chosen].predict_seconds
    return (
        f"{told}, but {chosen} lies less than {_CLOSE:g} below it, at {means[chosen]:.3f}, and predicts a slice "
        f"{format_number(faster, 2)} times faster."
    )


def _doubt(repeats: Repeats, chosen: str, means: dict[str, float]) -> str:
    """Name the networks that more seeds might put in another order."""
    unsure = [f"{row} ({means[row]:.3f})" for row in means if row != chosen and _undecided(repeats, row, chosen)]
    if not unsure:
        return ""
    return (
        f" These seeds do not tell it from {', '.join(unsure)} ({100 * LEVEL:g} % interval of the difference by seed): "
        "more seeds might change the order."
    )


def _undecided(repeats: Repeats, row: str, other: str) -> bool:
    """Say whether the interval of the difference by seed holds 0; one seed gives none."""
    interval = repeats.compare(row, other).t_interval if len(repeats.seeds) > 1 else None
    return interval is not None and interval[0] < 0 < interval[1]


def _against_classical(result: ComparisonResult, repeats: Repeats, means: dict[str, float], chosen: str) -> str:
    """Advise the best classifier that needs no network if it does as well, and say so where the seeds leave it open."""
    classical = {row: repeats.summary(row).mean for row in result.classical}
    best = max(classical, key=lambda row: classical[row], default=None)
    if best is None:
        return ""
    told = f" {best} needs no network and reaches {classical[best]:.3f}"
    if classical[best] >= means[chosen]:
        return f"{told}: take that instead."
    return f"{told}, which these seeds do not tell from it." if _undecided(repeats, best, chosen) else ""
