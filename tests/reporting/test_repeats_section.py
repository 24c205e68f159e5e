import pytest

from beamforge.evaluation import Repeats
from beamforge.reporting.repeats import add_repeats, verdict
from beamforge.reporting.report import Report

STUDY = Repeats(
    figure="error", seeds=(0, 1, 2), rows={"real": (0.26, 0.28, 0.30), "mixed": (0.20, 0.21, 0.25)}, trials=100
)


def test_section_shows_what_was_found_and_what_was_published() -> None:
    report = Report("Cracks")
    add_repeats(report, [STUDY], published={"error": {"mixed": 0.205}})
    page = report.html()
    assert "3 seeds" in page
    assert "99 % Agresti–Coull over 100 items" in page
    assert "0.205" in page
    assert "real − mixed" in page
    assert "3 of 3" in page


def test_one_row_can_be_what_the_others_are_compared_with() -> None:
    three = Repeats(figure="error", seeds=(0, 1), rows={"a": (0.1, 0.2), "b": (0.2, 0.2), "c": (0.3, 0.5)})
    page = add_and_show(three, against="b")
    assert "a − b" in page
    assert "c − b" in page
    assert "a − c" not in page
    assert "a − c" in add_and_show(three, against=None)


def add_and_show(study: Repeats, against: str | None) -> str:
    report = Report("Cracks")
    add_repeats(report, [study], against=against)
    return report.html()


def test_a_single_run_shows_no_comparison() -> None:
    report = Report("Cracks")
    alone = Repeats(figure="error", seeds=(0,), rows={"real": (0.26,), "mixed": (0.2,)})
    add_repeats(report, [alone])
    assert "p, t-test" not in report.html()
    assert "does not tell" in verdict(alone.compare("real", "mixed"), "error", 0.99)


def test_verdict_names_direction_and_both_tests() -> None:
    text = verdict(STUDY.compare("mixed", "real"), "error", 0.99)
    assert "mixed lies 0.06 below real" in text
    assert "over 3 seeds" in text
    found = STUDY.compare("mixed", "real")
    assert f"p = {found.t_p_value:.2g}" in text
    assert f"Wilcoxon p = {found.wilcoxon_p_value:.2g}" in text
    assert found.difference == pytest.approx(-0.06)
