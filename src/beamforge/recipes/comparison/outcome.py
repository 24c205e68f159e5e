"""What a comparison leaves for the user."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from beamforge.recipes.comparison.recommendation import Recommendation
from beamforge.recipes.comparison.results import ComparisonResult
from beamforge.recipes.schema import Outcome
from beamforge.reporting.numbers import format_number, format_value


@dataclass(frozen=True, kw_only=True)
class ComparisonOutcome(Outcome):
    """The outcome of a comparison.

    Attributes
    ----------
    name
        Of the recipe.
    result
        All scores and costs.
    recommendation
        The network to take.
    """

    name: str
    result: ComparisonResult
    recommendation: Recommendation

    def table(self) -> Table:
        """Give the comparison table for a terminal; the recommended network is marked."""
        table = Table(title=f"{self.name}: mean over the seeds {', '.join(map(str, self.result.seeds))}")
        table.caption = self.recommendation.reason
        header, rows = comparison_cells(self.result)
        for number, name in enumerate(header):
            table.add_column(name, justify="right" if number else "left")
        for row in rows:
            marked = row[0] == self.recommendation.row
            table.add_row(("→ " if marked else "") + row[0], *row[1:], style="bold" if marked else None)
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the means over the seeds."""
        return self.result.as_scores()


def comparison_cells(result: ComparisonResult) -> tuple[list[str], list[list[str]]]:
    """Give header and rows of the main table as text."""
    header = [
        "", "mean IoU", "without background", "particle recall", f"s to mIoU {result.target:g}", "training s",
        "s/slice", "memory MiB, predict / train", "parameters M", "MACs G",
    ]  # fmt: skip
    return header, [_cells(result, row) for row in result.rows]


def _cells(result: ComparisonResult, row: str) -> list[str]:
    cost = result.costs.get(row)
    recall = result.mean(row, "particle recall")
    target, training = result.target_seconds(row), result.mean(row, "training s")
    predicting = cost.predict_seconds if cost else min(run.predict_seconds for run in result.rows[row].values())
    return [
        row,
        _with_interval(result, row, "mean IoU"),
        _with_interval(result, row, "mean IoU without background"),
        "–" if recall is None else f"{recall:.3f}",
        "–" if target is None else f"{target:.0f}",
        "–" if training is None else f"{training:.1f}",
        f"{predicting:.3f}",
        f"{cost.predict_bytes / 2**20:.0f} / {cost.train_bytes / 2**20:.0f}" if cost else "–",
        format_number(cost.parameters / 1e6, 3) if cost else "–",
        format_number(cost.macs / 1e9, 3) if cost else "–",
    ]


def _with_interval(result: ComparisonResult, row: str, figure: str) -> str:
    repeats = result.repeats(figure)
    if repeats is None or row not in repeats.rows:
        return "–"
    summary = repeats.summary(row)
    return format_value(summary.mean, summary.t_interval).replace(", ", ",\u00a0")
