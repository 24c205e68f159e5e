import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import measurement
from beamforge.stack import IGNORE, as_labels, as_stack


def example(height: int = 40, width: int = 50, channels: int = 5):
    rng = np.random.default_rng(0)
    modes = [{"mode": "H0", "autocorrelation_length": 10.0 * i} for i in range(channels)]
    stack = as_stack(rng.normal(size=(channels, height, width)), modes, pixel_size=20.0, units="counts")
    return stack, as_labels(rng.integers(0, 3, (height, width)), ["air", "glass", "D2O"])


def test_image_mask_legend_scale_and_units() -> None:
    stack, labels = example()
    figure = measurement(stack, labels)
    pictures = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in pictures] == ["H0 0 nm", "H0 40 nm", "Annotation"]
    np.testing.assert_array_equal(pictures[1].images[0].get_array(), stack.values[4])
    assert "counts" in [axes.get_xlabel() for axes in figure.axes]
    assert pictures[0].texts[0].get_text() == "200 µm"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["air", "glass", "D2O"]


def test_the_contrast_is_robust() -> None:
    stack, labels = example(200, 200)
    stack.values[0, 0, 0] = 1e6
    assert measurement(stack, labels, channels=[0]).axes[0].images[0].get_clim()[1] < 5


def test_ignored_pixels_join_the_legend_and_simulation_is_said() -> None:
    stack, labels = example()
    labels.values[:5] = IGNORE
    figure = measurement(stack, labels, channels=[2], simulated=True)
    assert figure.legends[0].get_texts()[-1].get_text() == "ignored"
    assert figure.axes[0].get_title(loc="left") == "H0 20 nm\nsimulated"


def test_wide_images_keep_the_legend_in_the_free_corner() -> None:
    figure = measurement(*example(30, 80))
    assert not figure.legends
    assert figure.axes[3].get_legend() is not None


def test_sizes_must_agree() -> None:
    stack, labels = example()
    with pytest.raises(InputError, match="40×50"):
        measurement(stack, labels[:, :-1])
