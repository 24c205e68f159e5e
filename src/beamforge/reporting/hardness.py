"""The part of a report that tells what makes samples hard, and with it what to model better."""

from __future__ import annotations

from beamforge.evaluation.hardness import Hardness, ParameterHardness
from beamforge.reporting.figures.hardness import hardness_panels
from beamforge.reporting.numbers import format_number
from beamforge.reporting.report import Cell, Report

_LITTLE = 0.1


def add_hardness(report: Report, hardness: Hardness) -> None:
    """Add a section with the verdict, the panels and the table of all parameters."""
    report.section(
        "What is hard",
        f"{hardness.samples} fresh samples were scored by {hardness.score}. The line is the score to expect when one "
        "parameter has a value and all others are as they are; the dots are plain means, in which parameters that go "
        "together are not told apart.",
    )
    report.text(advice(hardness))
    report.figure(
        hardness_panels(hardness),
        f"{hardness.score} over the most important parameters of the simulation.",
        f"Panels of the {hardness.score} over the values of each parameter.",
    )
    rows: list[list[Cell]] = [
        [one.name, round(one.importance, 3), round(one.span, 3), round(one.hardest, 3), round(one.easiest, 3)]
        for one in hardness.parameters
    ]
    report.table(
        ["parameter", "importance", f"span of the {hardness.score}", "hardest at", "easiest at"],
        rows,
        "Importance is the share of the scores' variance that is explained less when the parameter is shuffled.",
    )


def advice(hardness: Hardness) -> str:
    """Say in words what is hard and what follows from it."""
    share = f"{100 * max(hardness.explained, 0):.0f} %"
    telling = hardness.telling()
    if hardness.explained < _LITTLE or not telling:
        return (
            f"The parameters explain {share} of how the {hardness.score} differs between samples. No part of their "
            "range is hard as such: what fails is the layout or the noise of single samples, or what no parameter "
            "describes. A better network or more samples of all kinds will help more than other intervals."
        )
    told = "; ".join(_sentence(one, hardness.score) for one in telling[:3])
    return (
        f"The parameters explain {share} of how the {hardness.score} differs between samples. Hardest: {told}. Model "
        f"these better first: check on measured images that the hard end of {telling[0].name} occurs, narrow its "
        "interval if it does not, and measure it and draw its truth more carefully if it does."
    )


def _sentence(one: ParameterHardness, score: str) -> str:
    lowest, highest = float(one.dependence.min()), float(one.dependence.max())
    return (
        f"{one.name} near {format_number(one.hardest, 3)}, where the {score} to expect is {format_number(lowest, 3)} "
        f"against {format_number(highest, 3)} near {format_number(one.easiest, 3)}"
    )
