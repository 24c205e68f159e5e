"""Contact sheets and compared predictions."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reporting.figures.comparison import compared_predictions
from beamforge.reporting.figures.contact_sheet import Picture, contact_sheet
from beamforge.stack import Classes

CLASSES = Classes(names=("soil", "root"), colours=("#000000", "#ff0000"))


def picture(labelled: bool = True) -> Picture:
    rng = default_rng(1)
    return Picture(rng.random((12, 12)), rng.integers(0, 2, (12, 12)) if labelled else None)


def shown(figure) -> list[np.ndarray]:
    return [np.asarray(axes.get_images()[0].get_array()) for axes in figure.axes if axes.get_images()]


def test_a_sheet_shows_every_image_and_every_label_map_once() -> None:
    simulated, measured = [picture() for _ in range(5)], [picture(), picture(labelled=False)]
    figure = contact_sheet(simulated, measured, CLASSES)
    pictures = shown(figure)
    assert sum(one.ndim == 2 for one in pictures) == 7
    assert sum(one.ndim == 3 for one in pictures) == 6


def test_rows_of_simulated_images_say_so() -> None:
    figure = contact_sheet([picture()], [picture()], CLASSES)
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == [
        "simulated",
        "simulated:\nlabels",
        "measured",
        "measured:\nlabels",
    ]


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(InputError, match="no image to show"):
        contact_sheet([], [], CLASSES)


def test_measured_images_alone_are_called_measured() -> None:
    figure = contact_sheet([], [picture()], CLASSES)
    titles = [axes.get_ylabel() for axes in figure.axes]
    assert {title for title in titles if title} == {"measured", "measured:\nlabels"}


def test_predictions_stand_behind_image_and_truth_in_their_order() -> None:
    one = picture()
    found = {"a\nF1 0.5": one.labels, "b": 1 - np.asarray(one.labels)}
    figure = compared_predictions(one.image, one.labels, found, CLASSES, simulated=True)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_images()]
    assert titles == ["image, simulated", "truth", "a\nF1 0.5", "b"]
    np.testing.assert_array_equal(shown(figure)[3], CLASSES.rgb[1 - np.asarray(one.labels)])


def test_a_prediction_of_another_size_is_named() -> None:
    one = picture()
    with pytest.raises(InputError, match=r"'a' has the shape \(3, 3\)"):
        compared_predictions(one.image, None, {"a": np.zeros((3, 3), np.uint8)}, CLASSES)
