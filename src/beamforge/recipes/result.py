"""What a run found, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

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
        """Give the scores of every pair of training and judging data, the published figures beside ours.

        A line for each pair, so that names are whole in a terminal of 80 characters.
        """
        published = any(reference(self.recipe, *pair) for pair in product(self.matrix.models, self.matrix.datasets))
        table = Table(title=self.recipe.name)
        for name in ("trained on", "judged on"):
            table.add_column(name, no_wrap=True)
        for name in ("Dice", "mIoU", *(["tile IoU"] if published else [])):
            table.add_column(name, justify="right")
        if published:
            table.add_column("paper", justify="right", style="dim")
        for model in self.matrix.models:
            table.add_section()
            for number, dataset in enumerate(self.matrix.datasets):
                scores = self.matrix.scores[model][dataset]
                cells = [f"{scores.dice.value:.3f}", f"{scores.mean_iou.value:.3f}"]
                if published:
                    # The paper's IoU is a mean over tiles.
                    cells += [f"{scores.mean_iou_tiles.value:.3f}", reference(self.recipe, model, dataset)]
                table.add_row("" if number else model, dataset, *cells)
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
