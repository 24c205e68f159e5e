"""What a run of a clustering recipe found, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from beamforge.evaluation.clusters import Agreement
from beamforge.recipes.schema import Outcome


class RowResult(BaseModel):
    """What one way to group gave; no agreement where there is no truth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clusters: int
    inertia: float
    scores: dict[int, float]
    agreement: Agreement | None


@dataclass(frozen=True, kw_only=True)
class ClusteringOutcome(Outcome):
    """The outcome of a clustering recipe: what each row found."""

    name: str
    found: Mapping[str, RowResult]

    def table(self) -> Table:
        """Give rows against figures for a terminal."""
        table = Table(title=self.name)
        table.add_column("", no_wrap=True)
        columns = list(dict.fromkeys(name for row in self.scores().values() for name in row))
        for column in columns:
            table.add_column(column, justify="right")
        for row, figures in self.scores().items():
            table.add_row(row, *(f"{figures[name]:.4g}" if name in figures else "–" for name in columns))
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the number of clusters and, where there is a truth, the adjusted Rand index and the accuracy."""
        found: dict[str, dict[str, float]] = {}
        for row, result in self.found.items():
            found[row] = {"clusters": float(result.clusters)}
            if result.agreement is not None:
                found[row] |= {"Rand index": result.agreement.rand, "accuracy": result.agreement.accuracy}
        return found
