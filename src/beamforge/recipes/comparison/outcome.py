"""What a comparison leaves for the user."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from beamforge.recipes.comparison.recommendation import Recommendation
from beamforge.recipes.comparison.results import ComparisonResult
from beamforge.recipes.schema import Outcome
from beamforge.reporting.numbers import format_number
from beamforge.reporting.report import Cell, format_cell


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
        (header, scores), (more, costs) = score_cells(self.result), cost_cells(self.result)
        for number, name in enumerate([*header, *more[1:]]):
            table.add_column(name, justify="right" if number else "left", no_wrap=not number)
        for score, cost in zip(scores, costs, strict=True):
            row, *cells = map(format_cell, [*score, *cost[1:]])
            marked = row == self.recommendation.row
            table.add_row(("→ " if marked else "") + row, *cells, style="bold" if marked else None)
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the means over the seeds."""
        return self.result.as_scores()


def score_cells(result: ComparisonResult) -> tuple[list[str], list[list[Cell]]]:
    """Give header and rows of the table of accuracy."""
    names = ["mean IoU", "mean IoU without background"]
    studies = {name: study for name in names if (study := result.repeats(name))}

    def over_seeds(row: str, name: str) -> Cell:
        return studies[name].summary(row) if name in studies and row in studies[name].rows else None

    rows: list[list[Cell]] = [
        [row, *(over_seeds(row, name) for name in names), result.mean(row, "particle recall")] for row in result.rows
    ]
    return ["", "mean IoU", "without background", "particle recall"], rows


def cost_cells(result: ComparisonResult) -> tuple[list[str], list[list[Cell]]]:
    """Give header and rows of the table of time, memory and size."""
    header = [
        "", f"s to mIoU {result.target:g}", "training s", "s/slice", "MiB to predict", "MiB to train",
        "parameters M", "MACs G",
    ]  # fmt: skip
    return header, [_costs(result, row) for row in result.rows]


def _costs(result: ComparisonResult, row: str) -> list[Cell]:
    cost = result.costs.get(row)
    target, training = result.target_seconds(row), result.mean(row, "training s")
    predicting = cost.predict_seconds if cost else min(run.predict_seconds for run in result.rows[row].values())
    times: list[Cell] = [
        None if target is None else f"{target:.0f}",
        None if training is None else f"{training:.1f}",
        f"{predicting:.3f}",
    ]
    sizes: list[Cell] = (
        [
            f"{cost.predict_bytes / 2**20:.0f}",
            f"{cost.train_bytes / 2**20:.0f}",
            format_number(cost.parameters / 1e6, 3),
            format_number(cost.macs / 1e9, 3),
        ]
        if cost
        else [None] * 4
    )
    return [row, *times, *sizes]
