"""The part of a report that tells what repeated runs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from beamforge.evaluation.paired import PairedComparison
from beamforge.evaluation.repeats import Repeats
from beamforge.reporting.figures.repeats import repeats_chart
from beamforge.reporting.numbers import format_number, format_value
from beamforge.reporting.report import Cell, Report


def add_repeats(
    report: Report,
    studies: Sequence[Repeats],
    *,
    published: Mapping[str, Mapping[str, float]] | None = None,
    against: str | None = None,
) -> None:
    """Add a section with the table, the chart and the comparisons of every figure.

    Parameters
    ----------
    report
        The report.
    studies
        The repeats, one for each figure.
    published
        Others' means: by figure, then by row.
    against
        A row to compare each other one with; by default every row is compared with every other.
    """
    first = studies[0]
    count, level = len(first.seeds), _percent(first)
    report.section(
        "Repeated runs",
        f"The same settings under {count} seeds, each shared by all rows. Brackets hold the {level} interval of the "
        "mean by Student's t: where it would lie with ever more seeds on the same judged data. It says nothing about "
        "other judged data. A dot is a run; a thin line joins the runs of one seed.",
    )
    for study in studies:
        beside = dict((published or {}).get(study.figure, {}))
        report.table(*_summary_table(study, beside), f"{study.figure}, {count} repeats.")
        report.figure(
            repeats_chart(study, published=beside),
            f"{study.figure}: every run, and the mean with its {level} interval.",
            f"Dots of the {study.figure} of every run, in a line for each row.",
        )
        if len(study.rows) > 1 and count > 1:
            report.table(
                *_comparison_table(study, against), "Differences seed by seed; p values are two-sided, each for itself."
            )


def verdict(comparison: PairedComparison, figure: str, level: float) -> str:
    """Say in a sentence what a comparison found."""
    if comparison.count < 2:
        return f"One run does not tell whether {comparison.first} differs from {comparison.second} in {figure}."
    way = "above" if comparison.difference > 0 else "below"
    told = f"In {figure}, {comparison.first} lies {format_value(abs(comparison.difference))} {way} {comparison.second}"
    if comparison.t_interval is None or comparison.t_p_value is None or comparison.wilcoxon_p_value is None:
        return f"{told} under every one of {comparison.count} seeds alike, so that no test applies."
    return (
        f"{told} on average over {comparison.count} seeds ({100 * level:g} % interval of the difference "
        f"{format_number(comparison.t_interval[0], 3)} to {format_number(comparison.t_interval[1], 3)}; paired t-test "
        f"p = {comparison.t_p_value:.2g}, Wilcoxon p = {comparison.wilcoxon_p_value:.2g})."
    )


def _summary_table(study: Repeats, published: Mapping[str, float]) -> tuple[list[str], list[list[Cell]]]:
    level = _percent(study)
    header = ["", f"mean and {level} interval", "sd", f"{level} interval by resampling"]
    header += [f"{level} Agresti–Coull over {study.trials} items"] if study.trials is not None else []
    header += ["published"] if published else []
    rows: list[list[Cell]] = []
    for row in study.rows:
        found = study.summary(row)
        cells: list[Cell] = [row, found, found.sd, _ends(found.bootstrap_interval)]
        cells += [_ends(found.proportion_interval)] if study.trials is not None else []
        rows.append([*cells, *([published.get(row)] if published else [])])
    return header, rows


def _comparison_table(study: Repeats, against: str | None) -> tuple[list[str], list[list[Cell]]]:
    header = ["difference", f"mean and {_percent(study)} interval", "p, t-test", "p, Wilcoxon", "Cohen's d", "wins"]
    pairs = (
        [study.compare(row, against) for row in study.rows if row != against]
        if against in study.rows
        else study.comparisons()
    )
    rows: list[list[Cell]] = [
        [
            f"{one.first} − {one.second}",
            format_value(one.difference, one.t_interval).replace(", ", ",\u00a0"),
            None if one.t_p_value is None else f"{one.t_p_value:.2g}",
            None if one.wilcoxon_p_value is None else f"{one.wilcoxon_p_value:.2g}",
            None if one.cohen_d is None else format_number(one.cohen_d, 3),
            f"{one.wins * one.count:g} of {one.count}",
        ]
        for one in pairs
    ]
    return header, rows


def _ends(ends: tuple[float, float] | None) -> Cell:
    return None if ends is None else f"{format_number(ends[0])} to {format_number(ends[1])}"


def _percent(study: Repeats) -> str:
    return f"{100 * study.bootstrap.level:g} %"
