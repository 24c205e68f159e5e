"""What a run found, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from beamforge.evaluation import Estimate, Matrix
from beamforge.recipes.schema import Recipe


@dataclass(frozen=True)
class RunResult:
    """The outcome of a run.

    Attributes
    ----------
    matrix
        Scores of every row on simulated and on measured data.
    recipe
        What was run.
    labels
        The label image of the unseen measurement.
    report
        The HTML report.
    """

    matrix: Matrix
    recipe: Recipe
    labels: Path
    report: Path

    def table(self) -> Table:
        """Give the train x evaluate table for a terminal, the published figures beside ours."""
        table = Table(title=f"{self.recipe.name}: trained on (rows), judged on (columns)")
        table.add_column("")
        with_reference = bool(self.recipe.references)
        for dataset in self.matrix.datasets:
            table.add_column(f"Dice, {dataset}", justify="right")
            table.add_column(f"mIoU, {dataset}", justify="right")
            if with_reference:
                table.add_column("paper Dice / IoU", justify="right", style="dim")
        for model in self.matrix.models:
            cells = []
            for dataset in self.matrix.datasets:
                scores = self.matrix.scores[model][dataset]
                cells += [_short(scores.dice), _short(scores.mean_iou)]
                if with_reference:
                    cells.append(self.reference(model, dataset))
            table.add_row(model, *cells)
        return table

    def reference(self, train: str, evaluate: str) -> str:
        """Give the published Dice and IoU of a cell, or nothing."""
        for row in self.recipe.references:
            if (row.train, row.evaluate) == (train, evaluate):
                return " / ".join("–" if value is None else f"{value:.3f}" for value in (row.dice, row.iou))
        return ""


def _short(estimate: Estimate) -> str:
    if estimate.interval is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.interval[0]:.3f}, {estimate.interval[1]:.3f}]"
