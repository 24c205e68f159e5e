"""What a run found, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from beamforge.evaluation import Matrix
from beamforge.recipes.kinds.measurement import MeasurementRecipe
from beamforge.recipes.schema import Outcome


@dataclass(frozen=True, kw_only=True)
class RunResult(Outcome):
    """The outcome of the main job.

    Attributes
    ----------
    matrix
        Scores of every row on simulated and on measured data.
    recipe
        What was run.
    """

    matrix: Matrix
    recipe: MeasurementRecipe

    def table(self) -> Table:
        """Give the train x evaluate table for a terminal, the published figures beside ours."""
        table = Table(title=f"{self.recipe.name}: trained on (rows), judged on (columns)")
        table.add_column("")
        for dataset in self.matrix.datasets:
            published = any(reference(self.recipe, model, dataset) for model in self.matrix.models)
            for column in ("Dice", "mIoU", *(["tile IoU", "paper"] if published else [])):
                table.add_column(f"{column}\n{dataset}", justify="right", style="dim" if column == "paper" else "")
        for model in self.matrix.models:
            cells = []
            for dataset in self.matrix.datasets:
                scores = self.matrix.scores[model][dataset]
                cells += [f"{scores.dice.value:.3f}", f"{scores.mean_iou.value:.3f}"]
                if any(reference(self.recipe, other, dataset) for other in self.matrix.models):
                    # The paper's IoU is a mean over tiles.
                    cells += [f"{scores.mean_iou_tiles.value:.3f}", reference(self.recipe, model, dataset)]
            table.add_row(model, *cells)
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give Dice and mean IoU of every row on every data set."""
        return {
            model: {
                f"{metric} on {dataset}": value
                for dataset, scores in judged.items()
                for metric, value in (("Dice", scores.dice.value), ("mean IoU", scores.mean_iou.value))
            }
            for model, judged in self.matrix.scores.items()
        }


def reference(recipe: MeasurementRecipe, train: str, evaluate: str) -> str:
    """Give the published Dice and IoU of a cell, or nothing."""
    for row in recipe.references:
        if (row.train, row.evaluate) == (train, evaluate):
            return " / ".join("–" if value is None else f"{value:.3f}" for value in (row.dice, row.iou))
    return ""
