import numpy as np
import pytest
from scipy import stats

from beamforge.errors import InputError
from beamforge.reporting.figures import fitted_densities
from beamforge.stack import IGNORE, as_labels, as_stack
from beamforge.statistics import IntensityModel

CENTRES = np.array([[0.0, 10.0, 20.0, 30.0], [5.0, 15.0, 25.0, 35.0]])


class Normal:
    """Unit normals; refuses values of another channel count, as marginals of all channels do."""

    def log_density(self, values, label):
        assert values.shape[0] == CENTRES.shape[1]
        return stats.norm.logpdf(values, CENTRES[label][:, None])


def example():
    labels = as_labels(np.arange(2, dtype=np.uint8).repeat(50 * 100).reshape(100, 100), ["air", "D2O"])
    noise = np.random.default_rng(0).normal(size=(4, 100, 100))
    modes = [{"mode": "H0", "autocorrelation_length": float(i)} for i in range(4)]
    return as_stack(CENTRES[labels.values].transpose(2, 0, 1) + noise, modes, units="counts"), labels


def test_curves_and_histograms_are_those_of_their_class_and_channel() -> None:
    stack, labels = example()
    figure = fitted_densities({"normal": Normal()}, stack, labels, channels=[1, 3])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["air\nH0 1 nm", "air\nH0 3 nm", "D2O\nH0 1 nm", "D2O\nH0 3 nm"]
    for axes, centre in zip(figure.axes, CENTRES[:, [1, 3]].ravel(), strict=True):
        x, y = axes.lines[0].get_data()
        assert x[np.argmax(y)] == pytest.approx(centre, abs=0.1)
        np.testing.assert_allclose(y, stats.norm.pdf(x, centre), rtol=1e-9)
        histogram = axes.patches[0].get_data()
        middles = (histogram.edges[1:] + histogram.edges[:-1]) / 2
        assert np.abs(histogram.values - stats.norm.pdf(middles, centre)).max() < 0.08
    assert figure.get_supxlabel() == "value (counts)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["measured (histogram)", "normal"]


def test_a_class_without_pixels_has_no_panel() -> None:
    stack, labels = example()
    labels.values[labels.values == 1] = IGNORE
    figure = fitted_densities({"normal": Normal()}, stack, labels, channels=[0])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["air"]
    assert figure.get_supxlabel() == "H0 0 nm (counts)"
    with pytest.raises(InputError, match="annotated pixel"):
        fitted_densities({"normal": Normal()}, stack, labels, classes=[1])


def test_models_of_the_statistics_can_be_drawn() -> None:
    stack, labels = example()
    kinds = ("johnson", "empirical")
    fits = {kind: IntensityModel.fit(stack, labels, marginal=kind).marginals for kind in kinds}
    figure = fitted_densities(fits, stack, labels, channels=[2])
    for axes, centre in zip(figure.axes, CENTRES[:, 2], strict=True):
        for line in axes.lines:
            x, y = line.get_data()
            assert np.trapezoid(y, x) == pytest.approx(1.0, abs=0.03)
            assert np.abs(y - stats.norm.pdf(x, centre)).max() < 0.1
