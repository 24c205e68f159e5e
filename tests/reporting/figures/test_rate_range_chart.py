import numpy as np
import pytest

from beamforge.learning import RateRange
from beamforge.reporting.figures.rate_range import rate_range_chart


def test_draws_the_curve_and_the_rates_that_follow() -> None:
    rates = np.geomspace(1e-5, 1, 51)
    smoothed = np.abs(np.log10(rates) + 2) + 0.1
    losses = smoothed + 0.05 * (-1.0) ** np.arange(51)
    found = RateRange(rates=rates, losses=losses, smoothed=smoothed)
    figure = rate_range_chart(found)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), smoothed)
    drawn = {line.get_label().split()[0]: line.get_xdata()[0] for line in axes.lines[2:]}
    assert drawn["suggestion"] == pytest.approx(1e-3)
    assert drawn["lowest"] == pytest.approx(1e-2)
    assert axes.get_ylim()[1] > smoothed[0]
