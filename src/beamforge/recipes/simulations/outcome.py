"""What a run of a simulation recipe found, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from beamforge.evaluation import Estimate, Matrix
from beamforge.recipes.schema import Outcome

TaskScores = dict[str, dict[str, dict[str, Estimate | None]]]
"""Data set, row, score."""


@dataclass(frozen=True, kw_only=True)
class SimulationOutcome(Outcome):
    """The outcome of a simulation recipe.

    Attributes
    ----------
    name
        The recipe's.
    matrix
        Overlap of every row on every data set.
    tasks
        The scores of the tasks.
    """

    name: str
    matrix: Matrix
    tasks: TaskScores

    def table(self) -> Table:
        """Give rows against scores for a terminal."""
        figures = self.scores()
        table = Table(title=self.name)
        table.add_column("")
        columns = list(dict.fromkeys(name for row in figures.values() for name in row))
        for column in columns:
            table.add_column(column.replace(" on ", "\n"), justify="right")
        for row, values in figures.items():
            table.add_row(row, *(f"{values[c]:.3f}" if c in values else "–" for c in columns))
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give Dice, mean IoU and the tasks' scores of every row on every data set."""
        found: dict[str, dict[str, float]] = {}
        for row in self.matrix.models:
            found[row] = {}
            for dataset in self.matrix.datasets:
                overlap = self.matrix.scores[row][dataset]
                values = {"Dice": overlap.dice, "mean IoU": overlap.mean_iou} | self.tasks[dataset][row]
                found[row] |= {f"{name} on {dataset}": v.value for name, v in values.items() if v is not None}
        return found
