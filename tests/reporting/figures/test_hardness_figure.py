import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.hardness import find_hardness
from beamforge.reporting.figures import hardness_panels
from beamforge.reporting.hardness import add_hardness, advice
from beamforge.reporting.report import Report

RNG = default_rng(4)
COLUMNS = {f"step.p{number}": RNG.uniform(0, 1, 60) for number in range(4)}
FOUND = find_hardness(0.9 - 0.5 * COLUMNS["step.p2"] + RNG.normal(0, 0.01, 60), COLUMNS)


def test_panels_show_dependence_and_means() -> None:
    figure = hardness_panels(FOUND, most=4)
    assert len(figure.axes) == 4
    assert figure.axes[0].get_title(loc="left") == "step\np2"
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(FOUND.parameters[0].grid)]
    np.testing.assert_array_equal(curves[0].get_ydata(), FOUND.parameters[0].dependence)
    assert figure.axes[0].get_ylabel() == "mean IoU"


def test_no_panel_is_refused() -> None:
    with pytest.raises(InputError, match="most is 0"):
        hardness_panels(FOUND, most=0)


def test_advice_names_the_parameter_and_its_hard_end() -> None:
    assert "Hardest: step.p2 near 0.9" in advice(FOUND)
    report = Report("Grains")
    add_hardness(report, FOUND)
    page = report.html()
    assert "What is hard" in page
    assert "step.p3" in page


def test_advice_says_so_where_parameters_explain_nothing() -> None:
    luck = find_hardness(default_rng(1).normal(0.5, 0.1, 60), COLUMNS)
    assert "No part of their range is hard" in advice(luck)
