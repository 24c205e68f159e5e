import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.learning.image_tiles import Chosen, ImageTiles, even_choice, numbers_by_class
from beamforge.learning.tile_rules import AnyPixel
from beamforge.stack import Classes, as_labels, as_stack

CLASSES = Classes(names=("free", "crack"))


def pair(rows: int, columns: int, cracked: bool = False):
    image = np.stack([np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)])
    labels = np.zeros((rows, columns), np.uint8)
    if cracked:
        labels[0, 0] = 1
    return as_stack(image), as_labels(labels, CLASSES)


@given(st.integers(5, 20), st.integers(5, 20), st.integers(1, 5), st.integers(1, 7))
def test_every_pixel_within_reach_of_the_stride_is_in_a_whole_tile(
    rows: int, columns: int, tile: int, stride: int
) -> None:
    tiles = ImageTiles([pair(rows, columns)], CLASSES, tile, stride)
    seen = set()
    for index in range(len(tiles)):
        image, labels = tiles.arrays(index)
        assert image.shape == (1, tile, tile)
        assert labels.shape == (tile, tile)
        seen.update(image.ravel().astype(int).tolist())
    corners = [0, columns - 1, (rows - 1) * columns, rows * columns - 1]
    assert set(corners) <= seen
    if stride <= tile:
        assert len(seen) == rows * columns
    assert len(set(tiles.places)) == len(tiles)


def test_choices_are_even_alternate_and_grow() -> None:
    by_class = [np.arange(30), np.arange(100, 107)]
    every = even_choice(by_class, seed=3)
    assert len(every) == 14
    assert [number >= 100 for number in every] == [True, False] * 7
    assert sorted(number for number in every if number >= 100) == list(range(100, 107))
    assert even_choice(by_class, seed=3, total=5) == every[:5]
    assert even_choice(by_class, seed=4) != every


def test_classes_of_tiles_and_those_that_are_missing() -> None:
    tiles = ImageTiles([pair(8, 8, cracked=True), pair(8, 12)], CLASSES, 4)
    free, cracked = numbers_by_class(tiles, AnyPixel(), "training part")
    assert cracked.tolist() == [0]
    assert len(free) == 3 + 6
    chosen = Chosen(tiles, [0, 5])
    assert (chosen.arrays(0)[1] == 1).any()
    assert len(chosen) == 2
    with pytest.raises(
        InputError, match=r"the judging part has no tile of the class crack \(of 4 tiles: 4 free, 0 crack"
    ):
        numbers_by_class(ImageTiles([pair(8, 8)], CLASSES, 4), AnyPixel(), "judging part")
    with pytest.raises(InputError, match=r"0 free, 0 crack, 1 in doubt"):
        numbers_by_class(ImageTiles([pair(4, 4, cracked=True)], CLASSES, 4), AnyPixel(least=2), "part")


def test_images_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"1 of 2 images are smaller than a tile of 6 px: .*\(8×5 px\); set tile to 5 px"
    ):
        ImageTiles([pair(8, 8), pair(8, 5)], CLASSES, 6)
    colour = as_stack(np.zeros((3, 8, 8), np.float32)), pair(8, 8)[1]
    with pytest.raises(InputError, match="has 3 channels"):
        ImageTiles([pair(8, 8), colour], CLASSES, 4)
    with pytest.raises(InputError, match="no image to cut tiles from"):
        ImageTiles([], CLASSES, 4)
