"""Which network to take, and why."""

from __future__ import annotations

from dataclasses import dataclass

from beamforge.recipes.comparison.results import LEVEL, ComparisonResult
from beamforge.reporting.numbers import format_number

FIGURE = "mean IoU"
_CLOSE = 0.005
"""Differences in mean IoU below this decide nothing, however sure they are."""


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
    """Take the network that predicts fastest among those that cannot be told from the best.

    Told from the best means: the interval of the difference in mean IoU over the seeds lies below 0, and the
    difference is at least 0.005. With a single seed there is no interval, and the difference alone decides.
    """
    repeats = result.repeats(FIGURE)
    if repeats is None:
        raise ValueError("a comparison judges at least one row")
    means = {row: repeats.summary(row).mean for row in result.networks}
    best = max(means, key=lambda row: means[row])
    alike = [best]
    for row in means:
        if row == best:
            continue
        difference = repeats.compare(row, best)
        surely = difference.t_interval is None or difference.t_interval[1] < 0
        if not (surely and difference.difference <= -_CLOSE):
            alike.append(row)
    chosen = min(alike, key=lambda row: result.costs[row].predict_seconds)
    return Recommendation(chosen, _reason(result, means, best, chosen, len(alike)) + _against_classical(result, chosen))


def _reason(result: ComparisonResult, means: dict[str, float], best: str, chosen: str, alike: int) -> str:
    seeds = len(result.seeds)
    over = f"over {seeds} seeds" if seeds > 1 else "with one seed, which says nothing about its spread"
    if chosen == best:
        slower = (
            "1 other cannot be told from it but predicts"
            if alike == 2
            else f"{alike - 1} others cannot be told from it but predict"
        )
        others = f"; {slower} more slowly"
        return (
            f"{chosen} has the highest mean IoU of the networks, {means[best]:.3f} {over}{others if alike > 1 else ''}."
        )
    faster = result.costs[best].predict_seconds / result.costs[chosen].predict_seconds
    return (
        f"{best} has the highest mean IoU of the networks, {means[best]:.3f} {over}, but {chosen} with "
        f"{means[chosen]:.3f} cannot be told from it ({100 * LEVEL:g} % interval of the difference by seed) and "
        f"predicts a slice {format_number(faster, 2)} times faster."
    )


def _against_classical(result: ComparisonResult, chosen: str) -> str:
    """Say so if a classifier that needs no network does as well."""
    repeats = result.repeats(FIGURE)
    better = [row for row in result.classical if repeats is not None and repeats.compare(row, chosen).difference >= 0]
    return f" {better[0]} needs no network and reaches no less." if better else ""
