import dataclasses

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import Example, prediction_panels
from beamforge.stack import IGNORE, Classes

CLASSES = Classes(names=("air", "D2O"))


def example(trained: str, evaluated: str, **changes) -> Example:
    truth = np.zeros((16, 16), np.uint8)
    prediction = truth.copy()
    prediction[3, 4] = 1
    image = np.random.default_rng(0).normal(size=(16, 16)) + (100 if evaluated == "synthetic" else 0)
    return dataclasses.replace(Example(image, truth, prediction, trained, evaluated, score="Dice 0.95"), **changes)


def matrix() -> list[Example]:
    return [
        example(t, e, simulated=e == "synthetic") for t in ("synthetic", "measured") for e in ("synthetic", "measured")
    ]


def test_cells_stand_in_the_matrix_and_hold_four_pictures() -> None:
    figure = prediction_panels(matrix(), CLASSES)
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings[1] == "trained on synthetic, evaluated on measured\nDice 0.95"
    assert headings[2].startswith("trained on measured, evaluated on synthetic")
    titles = [axes.get_title(loc="left") for axes in figure.subfigs[0].axes]
    assert titles == ["image, simulated", "truth", "prediction", "error"]
    assert figure.subfigs[1].axes[0].get_title(loc="left") == "image"


def test_the_error_map_marks_the_wrong_pixel() -> None:
    error = prediction_panels(matrix(), CLASSES).subfigs[0].axes[3].images[0].get_array()
    different = (error != error[0, 0]).any(axis=-1)
    assert np.argwhere(different).tolist() == [[3, 4]]


def test_images_of_one_column_share_their_grey_scale() -> None:
    parts = prediction_panels(matrix(), CLASSES).subfigs
    limits = [part.axes[0].images[0].get_clim() for part in parts]
    assert limits[0] == limits[2] != limits[1] == limits[3]


def test_the_legend_names_classes_and_errors() -> None:
    ignoring = np.full((16, 16), IGNORE, np.uint8)
    figure = prediction_panels([example("synthetic", "measured", truth=ignoring)], CLASSES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["air", "D2O", "ignored", "wrong"]


@pytest.mark.parametrize(
    ("examples", "problem"),
    [
        ([], "no example"),
        ([example("a", "b"), example("a", "b")], "two examples"),
        ([example("a", "b", truth=np.zeros((4, 4), np.uint8))], "shapes"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(examples: list[Example], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        prediction_panels(examples, CLASSES)
