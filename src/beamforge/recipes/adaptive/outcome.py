"""What a run of an adaptive recipe found, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from beamforge.recipes.kinds.adaptive import PublishedRow
from beamforge.recipes.schema import Outcome


@dataclass(frozen=True, kw_only=True)
class AdaptiveOutcome(Outcome):
    """The outcome of an adaptive recipe.

    Attributes
    ----------
    name
        The recipe's.
    found
        Name of the row, name of the figure, value.
    published
        Others' figures.
    """

    name: str
    found: dict[str, dict[str, float]]
    published: tuple[PublishedRow, ...] = ()

    def table(self) -> Table:
        """Give the three networks against the figures, what was published beside ours."""
        table = Table(title=f"{self.name}: one run; --repeats says whether the difference is luck")
        table.add_column("")
        figures = list(next(iter(self.found.values())))
        for figure in figures:
            table.add_column(figure, justify="right")
        for row, values in self.found.items():
            table.add_row(row, *(f"{values[figure]:.4f}" for figure in figures))
        for one in self.published:
            cells = [f"{one.figures[figure]:.3f}" if figure in one.figures else "–" for figure in figures]
            table.add_row(f"{one.row} ({one.source})", *cells, style="dim")
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the figures of the table."""
        return self.found
