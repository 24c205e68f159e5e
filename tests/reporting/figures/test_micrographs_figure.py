import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures.micrographs import (
    FALSE,
    FOUND,
    MISSED,
    boundary_overlays,
    micrograph_picture,
    micrograph_sheet,
    overlay,
)

GREY = np.full((1, 40, 40), 100.0, np.float32)


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def lines(*rows):
    mask = np.zeros((40, 40), bool)
    mask[list(rows), 2:-2] = True
    return mask


def test_colours_are_shown_as_they_are_and_grey_three_times() -> None:
    image = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5) * 4
    np.testing.assert_array_equal(micrograph_picture(image), image.astype(np.uint8).transpose(1, 2, 0))
    assert (micrograph_picture(GREY) == 100).all()


def test_other_ranges_are_stretched() -> None:
    image = np.linspace(-3.0, 9000.0, 1600, dtype=np.float32).reshape(1, 40, 40)
    picture = micrograph_picture(image)
    assert picture.min() == 0
    assert picture.max() == 255


def test_found_missed_and_false_boundaries_have_their_colours() -> None:
    picture = overlay(GREY, lines(10, 20), lines(12, 30), tolerance=3.0)
    assert picture[10, 20].tolist() == rgb(FOUND)
    assert picture[20, 20].tolist() == rgb(FALSE)
    assert picture[30, 20].tolist() == rgb(MISSED)
    assert picture[25, 20].tolist() == [100] * 3


def test_without_a_truth_all_is_found() -> None:
    picture = overlay(GREY, lines(10), None, tolerance=3.0)
    assert picture[10, 20].tolist() == rgb(FOUND)
    assert not (picture.reshape(-1, 3) == rgb(FALSE)).all(axis=1).any()


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="over an image"):
        overlay(GREY, np.zeros((4, 4)), None, 3.0)


def test_figures_name_their_panels() -> None:
    sheet = micrograph_sheet({"measured": [GREY, GREY], "simulated": [GREY]})
    assert [axes.get_ylabel() for axes in sheet.axes if axes.get_ylabel()] == ["measured", "simulated"]
    figure = boundary_overlays(GREY, {"network": lines(10), "ridges": lines(20)}, lines(11), 3.0)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["image", "network", "ridges"]
    with pytest.raises(InputError, match="no image"):
        micrograph_sheet({})
