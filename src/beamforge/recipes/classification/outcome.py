"""What a run of a classification recipe found, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from beamforge.evaluation import ClassificationScores
from beamforge.recipes.schema import Outcome


@dataclass(frozen=True, kw_only=True)
class ClassificationOutcome(Outcome):
    """The outcome of a classification recipe.

    Attributes
    ----------
    name
        The recipe's.
    judged
        Scores by data set and row.
    """

    name: str
    judged: Mapping[str, Mapping[str, ClassificationScores]]

    def table(self) -> Table:
        """Give the error rates of every row with their intervals, for a terminal."""
        table = Table(title=f"{self.name}: share of wrong tiles")
        table.add_column("", no_wrap=True)
        for dataset, rows in self.judged.items():
            first = next(iter(rows.values()))
            header = f"{dataset}, {first.tiles} tiles\nerror [{100 * first.level:g} % interval]"
            table.add_column(header, justify="right", no_wrap=True)
            table.add_column("balanced\nerror", justify="right")
        for row in next(iter(self.judged.values())):
            cells = []
            for rows in self.judged.values():
                scores = rows[row]
                ends = "" if scores.error.interval is None else " [{:.3f}, {:.3f}]".format(*scores.error.interval)
                cells += [f"{scores.error.value:.3f}{ends}", f"{scores.balanced_error:.3f}"]
            table.add_row(row, *cells)
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give error and balanced error of every row on every data set."""
        found: dict[str, dict[str, float]] = {}
        for dataset, rows in self.judged.items():
            for row, scores in rows.items():
                figures = {f"error on {dataset}": scores.error.value}
                figures[f"balanced error on {dataset}"] = scores.balanced_error
                found.setdefault(row, {}).update(figures)
        return found
