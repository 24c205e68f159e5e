from __future__ import annotations

import pytest
from matplotlib.patches import Rectangle
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reporting.figures.marked_tiles import MarkedPicture, marked_tiles


def test_outlines_lie_on_the_pixels_of_the_tiles() -> None:
    image = default_rng(0).random((60, 90))
    pictures = [MarkedPicture("a.png", image, [(0, 0), (28, 58)]), MarkedPicture("b.png", image[:, :40], [])]
    first, second, empty = marked_tiles(pictures, 32, "#ff0000").axes
    outlines = [patch for patch in first.patches if isinstance(patch, Rectangle)]
    assert [patch.get_bbox().extents.tolist() for patch in outlines] == [
        [-0.5, -0.5, 31.5, 31.5],
        [57.5, 27.5, 89.5, 59.5],
    ]
    assert first.get_title() == ""
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["a.png", "b.png"]
    assert not second.patches
    assert not empty.axison


def test_without_pictures_there_is_no_figure() -> None:
    with pytest.raises(InputError, match="no picture"):
        marked_tiles([], 32, "#ff0000")
