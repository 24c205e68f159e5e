import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from beamforge.errors import InputError
from beamforge.reporting.pictures import (
    chosen_channels,
    class_handles,
    error_picture,
    label_picture,
    robust_limits,
    scale_bar,
    scale_bar_length,
)
from beamforge.stack import IGNORE, Channel, Classes, as_stack

CLASSES = Classes(names=("air", "water"), colours=("#102030", "#a0b0c0"))


def test_robust_limits_pass_over_outliers_and_invalid_pixels() -> None:
    values = np.concatenate([np.linspace(10, 20, 10_000), [1e9, np.nan, np.inf]])
    low, high = robust_limits([values])
    assert 10 <= low < 10.1
    assert 19.9 < high <= 20


def test_a_constant_image_gets_a_range() -> None:
    assert robust_limits([np.full((4, 4), 3.0)]) == (2.5, 3.5)


def test_an_image_without_values_is_refused() -> None:
    with pytest.raises(InputError, match="no finite pixel"):
        robust_limits([np.full((4, 4), np.nan)])


def test_labels_take_the_colours_of_their_classes_and_ignored_pixels_grey_stripes() -> None:
    labels = np.full((80, 80), IGNORE, np.uint8)
    labels[0, 0], labels[0, 1] = 0, 1
    picture = label_picture(labels, CLASSES)
    assert picture[0, 0].tolist() == [0x10, 0x20, 0x30]
    assert picture[0, 1].tolist() == [0xA0, 0xB0, 0xC0]
    ignored = picture[labels == IGNORE]
    assert len(np.unique(ignored, axis=0)) == 2
    assert (np.ptp(ignored.astype(int), axis=1) < 16).all()


def test_a_label_without_a_class_is_refused() -> None:
    with pytest.raises(InputError, match="class 2"):
        label_picture(np.array([[0, 2]]), CLASSES)


def test_errors_count_only_where_the_truth_does() -> None:
    truth = np.array([[0, 0, IGNORE]], np.uint8)
    right, wrong, ignored = error_picture(truth, np.array([[0, 1, 1]], np.uint8))[0]
    assert wrong.tolist() == [0xD5, 0x5E, 0x00]
    assert right.tolist() != wrong.tolist()
    assert ignored.tolist() not in (right.tolist(), wrong.tolist())


@given(st.floats(10, 5000), st.floats(1e-3, 1e3))
def test_scale_bars_are_round_and_about_a_quarter(width: float, pixel_size: float) -> None:
    pixels, label = scale_bar_length(width, pixel_size)
    assert 0.25 * width / 2.5 * 0.999 <= pixels <= 0.25 * width * 1.001
    number, unit = label.split()
    assert f"{float(number):.0e}"[0] in "125"
    micrometres = float(number) * {"µm": 1, "mm": 1e3, "cm": 1e4}[unit]
    assert micrometres == pytest.approx(pixels * pixel_size)


def test_without_a_pixel_size_the_bar_counts_pixels() -> None:
    assert scale_bar_length(192, None) == (20.0, "20 px")


def test_the_bar_in_the_picture_has_the_length_it_claims() -> None:
    axes = Figure().subplots()
    axes.imshow(np.zeros((100, 200)))
    limits = axes.get_xlim(), axes.get_ylim()
    scale_bar(axes, 44.0)
    (bar,) = axes.lines
    assert np.ptp(bar.get_xdata()) * 44 == pytest.approx(2000)
    assert axes.texts[0].get_text() == "2 mm"
    assert (axes.get_xlim(), axes.get_ylim()) == limits


def test_the_legend_names_ignored_pixels_only_when_there_are_any() -> None:
    assert [handle.get_label() for handle in class_handles(CLASSES)] == ["air", "water"]
    assert class_handles(CLASSES, ignored=True)[-1].get_hatch()


def test_channels_are_spread_evenly_and_checked() -> None:
    channels = [Channel(z=float(i)) for i in range(9)]
    assert chosen_channels(channels, None, 3) == [0, 4, 8]
    assert chosen_channels(channels[:2], None, 3) == [0, 1]
    assert chosen_channels(as_stack(np.zeros((9, 2, 2))), [5], 3) == [5]
    with pytest.raises(InputError, match=r"\[9\].*0\.\.8"):
        chosen_channels(channels, [9], 3)
