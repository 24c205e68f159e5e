"""Running a recipe several times, the number of the run being the seed, and what the runs say together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from beamforge.errors import InputError
from beamforge.evaluation.repeats import Repeats, collect_repeats
from beamforge.files import write_json
from beamforge.provenance import provenance
from beamforge.recipes.run import run
from beamforge.recipes.schema import Outcome, RecipeBase
from beamforge.recipes.stages import Run
from beamforge.reporting.numbers import format_number, format_value


@dataclass(frozen=True, kw_only=True)
class RepeatedOutcome(Outcome):
    """What repeated runs say together.

    Attributes
    ----------
    name
        Of the recipe.
    studies
        The runs' scores, one for each figure.
    """

    name: str
    studies: tuple[Repeats, ...]

    def table(self) -> Table:
        """Give mean, interval and standard deviation of every figure of every row."""
        level = f"{100 * self.studies[0].bootstrap.level:g} %"
        table = Table(title=f"{self.name}: {len(self.studies[0].seeds)} repeats, mean with its {level} interval ± sd")
        rows = list(dict.fromkeys(row for study in self.studies for row in study.rows))
        table.add_column("")
        for study in self.studies:
            table.add_column(study.figure, justify="right")
        for row in rows:
            table.add_row(row, *(_cell(study, row) for study in self.studies))
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the means."""
        rows = dict.fromkeys(row for study in self.studies for row in study.rows)
        return {row: {one.figure: one.summary(row).mean for one in self.studies if row in one.rows} for row in rows}

    def trials(self) -> dict[str, int]:
        """Give how many judged items a figure is a proportion of."""
        return {study.figure: study.trials for study in self.studies if study.trials is not None}


def run_repeats(recipe: RecipeBase, folder: str | Path, count: int) -> RepeatedOutcome:
    """Run a recipe under the seeds 0 to count - 1 and summarise the runs.

    Parameters
    ----------
    recipe
        What to do; its own seed, and that of its training, give way to the number of the run.
    folder
        Holds a run's folder ``repeat-NN`` for each seed, ``repeats.json`` with all scores, and the report. Finished
        stages of every run are skipped, and more repeats can be added later.
    count
        How many runs.

    Raises
    ------
    InputError
        For settings or data that cannot be used.
    BeamforgeError
        If a stage of a run fails; finished ones are kept.
    """
    if count < 1:
        raise InputError(f"repeats is {count}, expected at least 1")
    whole = Run(folder)
    with whole.locked():
        outcomes = {seed: run(recipe.with_seed(seed), whole.folder / f"repeat-{seed:02d}") for seed in range(count)}
        studies = tuple(
            collect_repeats({seed: one.scores() for seed, one in outcomes.items()}, trials=outcomes[0].trials())
        )
        scores = whole.folder / "repeats.json"
        write_json(scores, {"recipe": recipe.name, "studies": [study.model_dump(mode="json") for study in studies]})
        reports = {seed: one.report for seed, one in outcomes.items()}
        report = _write_report(recipe, studies, reports, whole.folder / "report.html")
    return RepeatedOutcome(report=report, files={"scores": scores}, name=recipe.name, studies=studies)


def _write_report(recipe: RecipeBase, studies: tuple[Repeats, ...], reports: dict[int, Path], path: Path) -> Path:
    from beamforge.reporting.repeats import add_repeats, verdict
    from beamforge.reporting.report import Report

    first = studies[0]
    report = Report(recipe.name, recipe.description)
    comparisons = first.comparisons()
    facts = {f"{first.figure}, {row}": first.summary(row) for row in first.rows}
    told = " ".join(verdict(one, first.figure, first.bootstrap.level) for one in comparisons[:1])
    report.headline(f"{len(reports)} runs of {recipe.name} that differ in their seed alone. {told}".strip(), facts)
    add_repeats(report, studies)
    report.section("The single runs")
    rows = [
        [str(seed), reports[seed].relative_to(path.parent).as_posix(), *(format_number(v) for v in values)]
        for seed, values in zip(first.seeds, zip(*first.rows.values(), strict=True), strict=True)
    ]
    report.table(["seed", "report", *first.rows], rows, f"{first.figure} of every run.")
    report.section("Provenance")
    # Whether anything is simulated differs between kinds of recipe: the single reports say it.
    report.provenance({**provenance(simulated=False, recipe=recipe.model_dump(mode="json")), "simulated": None})
    return report.write(path)


def _cell(study: Repeats, row: str) -> str:
    if row not in study.rows:
        return ""
    found = study.summary(row)
    spread = "" if found.sd is None else f" ± {format_number(found.sd, 2)}"
    return format_value(found.mean, found.interval) + spread
