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
    shown
        Those of them that the terminal shows.
    """

    name: str
    matrix: Matrix
    tasks: TaskScores
    shown: tuple[str, ...]

    def table(self) -> Table:
        """Give rows against the first score of each task and the mean IoU, for a terminal; the report has all."""
        figures = self.scores()
        table = Table(title=self.name)
        table.add_column("", no_wrap=True)
        columns = [f"{name} on {dataset}" for dataset in self.matrix.datasets for name in (*self.shown, "mean IoU")]
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
