"""What a run found, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from beamforge.evaluation import Matrix
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
        for dataset in self.matrix.datasets:
            published = any(self.reference(model, dataset) for model in self.matrix.models)
            for column in ("Dice", "mIoU", *(["tile IoU", "paper"] if published else [])):
                table.add_column(f"{column}\n{dataset}", justify="right", style="dim" if column == "paper" else "")
        for model in self.matrix.models:
            cells = []
            for dataset in self.matrix.datasets:
                scores = self.matrix.scores[model][dataset]
                cells += [f"{scores.dice.value:.3f}", f"{scores.mean_iou.value:.3f}"]
                if any(self.reference(other, dataset) for other in self.matrix.models):
                    # The paper's IoU is a mean over tiles.
                    cells += [f"{scores.mean_iou_tiles.value:.3f}", self.reference(model, dataset)]
            table.add_row(model, *cells)
        return table

    def reference(self, train: str, evaluate: str) -> str:
        """Give the published Dice and IoU of a cell, or nothing."""
        for row in self.recipe.references:
            if (row.train, row.evaluate) == (train, evaluate):
                return " / ".join("–" if value is None else f"{value:.3f}" for value in (row.dice, row.iou))
        return ""
