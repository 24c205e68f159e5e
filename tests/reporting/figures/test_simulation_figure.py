import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import correlation_by_lag, simulated_beside_measured


def tiles(scale: float, count: int = 3):
    return list(scale * np.random.default_rng(0).normal(size=(count, 24, 24)))


def test_all_tiles_share_the_measured_grey_scale_and_simulated_rows_say_so() -> None:
    simulated = {"i.i.d.": tiles(9.0), "correlated": tiles(2.0)}
    figure = simulated_beside_measured(tiles(1.0), simulated, units="counts", pixel_size=1.0)
    pictures = [axes for axes in figure.axes if axes.images]
    assert len(pictures) == 9
    assert len({axes.images[0].get_clim() for axes in pictures}) == 1
    assert pictures[0].images[0].get_clim()[1] < 5
    assert [axes.get_ylabel() for axes in pictures[::3]] == ["measured", "simulated:\ni.i.d.", "simulated:\ncorrelated"]
    np.testing.assert_array_equal(pictures[4].images[0].get_array(), simulated["i.i.d."][1])
    assert "counts" in [axes.get_xlabel() for axes in figure.axes]


def test_rows_must_be_of_one_length() -> None:
    with pytest.raises(InputError, match="2 tiles"):
        simulated_beside_measured(tiles(1.0), {"i.i.d.": tiles(1.0, 2)})


def test_correlations_over_distance() -> None:
    lags = np.arange(5)
    figure = correlation_by_lag(lags, 0.5**lags, {"i.i.d.": lags == 0}, title="D2O, H0")
    (axes,) = figure.axes
    drawn = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(drawn["measured"].get_ydata(), 0.5**lags)
    np.testing.assert_array_equal(drawn["simulated: i.i.d."].get_ydata(), [1, 0, 0, 0, 0])
    assert axes.get_xlabel() == "distance (px)"
    assert axes.get_title(loc="left") == "D2O, H0"


def test_a_logarithmic_axis_leaves_out_distance_zero() -> None:
    axes = correlation_by_lag(np.arange(5), np.ones(5), {}, logarithmic=True).axes[0]
    assert axes.get_xscale() == "log"
    assert axes.lines[-1].get_xdata().tolist() == [1, 2, 3, 4]
