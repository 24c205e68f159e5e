"""What a run of a recipe for micrographs found, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from beamforge.recipes.schema import Outcome

if TYPE_CHECKING:
    from beamforge.evaluation.micrographs import MicrographScores


@dataclass(frozen=True, kw_only=True)
class MicrographOutcome(Outcome):
    """The outcome of a recipe for micrographs.

    Attributes
    ----------
    name
        The recipe's.
    tables
        Scores by what was judged on, and by row.
    tolerance
        Of the boundary scores in px.
    """

    name: str
    tables: dict[str, dict[str, MicrographScores]]
    tolerance: float

    def table(self) -> Table:
        """Give rows against mean IoU and boundary F, for a terminal; the report has all."""
        table = Table(title=self.name)
        table.add_column("", no_wrap=True)
        for dataset in self.tables:
            for figure in ("mean IoU", f"boundary F, {self.tolerance:g} px"):
                table.add_column(f"{figure}\n{dataset}", justify="right")
        for row in next(iter(self.tables.values())):
            both = [(scores[row].mean_iou, scores[row].f) for scores in self.tables.values()]
            table.add_row(row, *(f"{value.value:.3f}" for pair in both for value in pair))
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give mean IoU, boundary F and adapted Rand error of every row on every data set."""
        rows: dict[str, dict[str, float]] = {}
        for dataset, table in self.tables.items():
            for row, scores in table.items():
                rows.setdefault(row, {}).update({
                    f"mean IoU on {dataset}": scores.mean_iou.value,
                    f"boundary F on {dataset}": scores.f.value,
                    f"adapted Rand error on {dataset}": scores.adapted_rand_error,
                })  # fmt: skip
        return rows
