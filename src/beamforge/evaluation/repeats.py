"""Scores of runs that were repeated under other seeds, each seed shared by all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from beamforge.errors import InputError, one_of
from beamforge.evaluation.bootstrap import Bootstrap
from beamforge.evaluation.intervals import Ends, agresti_coull, bootstrap_interval, t_interval
from beamforge.evaluation.paired import PairedComparison, compare_paired

OVER_REPEATS = Bootstrap(resamples=10_000, level=0.99)
"""How intervals over repeats are computed unless told otherwise."""


class Summary(BaseModel):
    """A row's scores in short.

    Attributes
    ----------
    count
        Repeats.
    mean, sd
        Mean and standard deviation (n - 1); no standard deviation of a single repeat.
    t_interval, bootstrap_interval
        Where the mean of ever more seeds would lie.
    proportion_interval
        Where the mean would lie on ever more judged items, by Agresti and Coull; only of proportions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    mean: float
    sd: float | None = None
    t_interval: Ends | None = None
    bootstrap_interval: Ends | None = None
    proportion_interval: Ends | None = None

    @property
    def value(self) -> float:
        """The mean, as reports show it."""
        return self.mean

    @property
    def interval(self) -> Ends | None:
        """The interval of the mean by t, as reports show it."""
        return self.t_interval


class Repeats(BaseModel):
    """One figure of several rows in repeated runs, JSON-able.

    Two uncertainties are kept apart. The intervals over repeats say how far a mean would move with other seeds, on
    the same judged data. Where the figure is a proportion of independent judged items, such as the share of wrong
    images, `trials` is their number, and the interval by Agresti and Coull says how far it would move with other
    items: repeats that judge the same items again do not narrow it.

    Attributes
    ----------
    figure
        What was measured, such as ``"mean IoU on measured"``.
    seeds
        Seed of each repeat.
    rows
        Scores (repeat,) of each row, in the order of the seeds.
    trials
        Items that were judged in each repeat, if the figure is a proportion of them.
    bootstrap
        Level of all intervals, and how those by resampling are computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    seeds: tuple[int, ...] = Field(min_length=1)
    rows: dict[str, tuple[FiniteFloat, ...]] = Field(min_length=1)
    trials: PositiveInt | None = None
    bootstrap: Bootstrap = OVER_REPEATS

    @model_validator(mode="after")
    def _paired(self) -> Self:
        for row, values in self.rows.items():
            if len(values) != len(self.seeds):
                raise ValueError(f"row {row!r} has {len(values)} values for {len(self.seeds)} seeds")
            if self.trials is not None and not all(0 <= value <= 1 for value in values):
                raise ValueError(f"row {row!r} of {self.figure!r} holds values outside 0..1, which are no proportions")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"the seeds {list(self.seeds)} repeat; a run with the same seed is the same run")
        return self

    def summary(self, row: str) -> Summary:
        """Summarise a row.

        Raises
        ------
        InputError
            If there is no such row.
        """
        values = self._values(row)
        mean = float(values.mean())
        return Summary(
            count=len(values),
            mean=mean,
            sd=float(values.std(ddof=1)) if len(values) > 1 else None,
            t_interval=t_interval(values, self.bootstrap.level),
            bootstrap_interval=bootstrap_interval(values, self.bootstrap),
            proportion_interval=(
                None if self.trials is None else agresti_coull(mean * self.trials, self.trials, self.bootstrap.level)
            ),
        )

    def compare(self, first: str, second: str) -> PairedComparison:
        """Compare two rows seed by seed.

        Raises
        ------
        InputError
            If there is no such row.
        """
        return compare_paired(
            self._values(first), self._values(second), names=(first, second), bootstrap=self.bootstrap
        )

    def comparisons(self) -> list[PairedComparison]:
        """Compare every two rows."""
        return [self.compare(first, second) for first, second in combinations(self.rows, 2)]

    def table(self) -> list[dict[str, Any]]:
        """Give a flat table, a mapping for each row."""
        return [{"figure": self.figure, "row": row, **self.summary(row).model_dump()} for row in self.rows]

    def markdown(self) -> str:
        """Give the table of the rows and that of their comparisons as Markdown."""
        level = f"{100 * self.bootstrap.level:g} %"
        proportion = [] if self.trials is None else [f"{level} Agresti–Coull, {self.trials} items"]
        header = [self.figure, "mean", "sd", f"{level} t", f"{level} bootstrap", *proportion]
        lines = [header, ["---"] * len(header)]
        for row in self.rows:
            found = self.summary(row)
            ends = [found.t_interval, found.bootstrap_interval, *([found.proportion_interval] if proportion else [])]
            lines.append([row, f"{found.mean:.4f}", _number(found.sd), *map(_ends, ends)])
        against = [
            ["difference", "mean", "sd", f"{level} t", "p (t)", "p (Wilcoxon)", "d", "wins"],
            ["---"] * 8,
        ]
        for one in self.comparisons():
            p_values = [_number(one.t_p_value, ".2g"), _number(one.wilcoxon_p_value, ".2g")]
            effect = [_number(one.cohen_d, ".2f"), f"{one.wins:.2f}"]
            name = f"{one.first} − {one.second}"
            against.append([name, f"{one.difference:+.4f}", _number(one.sd), _ends(one.t_interval), *p_values, *effect])
        tables = [lines, against] if len(self.rows) > 1 else [lines]
        return "\n\n".join("\n".join("| " + " | ".join(line) + " |" for line in table) for table in tables) + "\n"

    def _values(self, row: str) -> np.ndarray:
        if row not in self.rows:
            raise one_of("row", row, self.rows)
        return np.asarray(self.rows[row], dtype=np.float64)


def collect_repeats(
    scores: Mapping[int, Mapping[str, Mapping[str, float]]],
    *,
    trials: Mapping[str, int] | None = None,
    bootstrap: Bootstrap = OVER_REPEATS,
) -> list[Repeats]:
    """Sort the scores of runs by figure.

    Parameters
    ----------
    scores
        Scores of each run by its seed: name of the row, name of the figure, value.
    trials
        How many judged items a figure is a proportion of, by its name.
    bootstrap
        How intervals are computed.

    Returns
    -------
    One `Repeats` for each figure, in the order they first appear.

    Raises
    ------
    InputError
        If there is no run, or a run lacks a row or a figure that another one has.
    """
    if not scores:
        raise InputError("there is no run to summarise")
    shapes = {seed: {row: list(figures) for row, figures in rows.items()} for seed, rows in scores.items()}
    first = next(iter(shapes.values()))
    for seed, shape in shapes.items():
        if shape != first:
            raise InputError(
                f"the run with seed {seed} has the rows and figures {shape}, the first one {first}; repeats must be "
                "runs of one recipe"
            )
    figures = dict.fromkeys(figure for row in first.values() for figure in row)
    return [
        Repeats(
            figure=figure,
            seeds=tuple(scores),
            rows={row: tuple(run[row][figure] for run in scores.values()) for row in first if figure in first[row]},
            trials=(trials or {}).get(figure),
            bootstrap=bootstrap,
        )
        for figure in figures
    ]


def _number(value: float | None, form: str = ".4f") -> str:
    return "–" if value is None else f"{value:{form}}"


def _ends(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"[{ends[0]:.4f}, {ends[1]:.4f}]"
