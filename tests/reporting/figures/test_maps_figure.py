import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import channel_correlations, class_channel_maps, confusion_matrix
from beamforge.stack import Channel, Classes

CLASSES = Classes(names=("air", "glass", "D2O"))
FEW = [Channel(mode="H0"), Channel(mode="H1")]
MANY = [Channel(mode="DF", autocorrelation_length=10.0 * i) for i in range(60)]


def pictures(figure):
    return [axes for axes in figure.axes if axes.images]


def test_signed_maps_are_symmetric_and_others_start_at_zero() -> None:
    signed = np.array([[-0.2, 0.1], [0.0, 0.05], [0.1, 0.1]])
    figure = class_channel_maps({"Δγ": signed, "W1 / sd": np.abs(signed)}, CLASSES, FEW)
    first, second = pictures(figure)
    low, high = first.images[0].get_clim()
    assert low == -high
    assert second.images[0].get_clim()[0] == 0
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["Δγ", "W1 / sd"]
    assert [text.get_text() for text in first.get_yticklabels()] == ["air", "glass", "D2O"]
    assert [text.get_text() for text in first.get_xticklabels()] == ["H0", "H1"]
    assert first.texts[0].get_text() == "−.20"


def test_many_channels_become_an_axis_with_its_unit() -> None:
    figure = class_channel_maps({"W1": np.ones((3, 60))}, CLASSES, MANY)
    axes = pictures(figure)[0]
    assert axes.get_xlabel() == "autocorrelation length (nm)"
    ticks = {int(place): text.get_text() for place, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)}
    assert 4 <= len(ticks) <= 9
    assert all(text == f"{10 * place}" for place, text in ticks.items())
    assert not axes.texts


def test_one_outlier_does_not_wash_out_the_rest() -> None:
    values = np.random.default_rng(0).exponential(0.01, (3, 60))
    values[0, 0] = 1e3
    assert pictures(class_channel_maps({"W1": values}, CLASSES, MANY))[0].images[0].get_clim()[1] < 1


def test_a_map_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"W1 has shape \(2, 3\)"):
        class_channel_maps({"W1": np.ones((2, 3))}, CLASSES, FEW)


def test_confusions_are_fractions_of_the_true_class() -> None:
    figure = confusion_matrix([[8, 2, 0], [0, 0, 0], [5, 0, 15]], CLASSES, title="unseen")
    axes = pictures(figure)[0]
    shown = axes.images[0].get_array()
    np.testing.assert_allclose(shown[0], [0.8, 0.2, 0.0])
    np.testing.assert_allclose(shown[2], [0.25, 0.0, 0.75])
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[1].all()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert [text.get_text() for text in axes.texts] == [".80", ".20", ".00", ".25", ".00", ".75"]
    assert axes.get_title(loc="left") == "unseen"


def test_correlations_share_one_scale() -> None:
    figure = channel_correlations({"measured": np.eye(60), "simulated": -np.eye(60)}, MANY)
    assert [axes.images[0].get_clim() for axes in pictures(figure)] == [(-1, 1), (-1, 1)]
    assert [axes.get_title(loc="left") for axes in pictures(figure)] == ["measured", "simulated"]
