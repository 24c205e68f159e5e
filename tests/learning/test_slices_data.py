"""Splits along z and tiles of annotated slices."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io.slices import VolumeSlices
from beamforge.learning.slices import (
    SliceGrid,
    SliceTiles,
    Split,
    block_split,
    check_classes_present,
    random_split,
)
from beamforge.stack import Classes


def volume(depth=30, size=(20, 24), classes=3, seed=0):
    """A volume whose value is 1000 z + 10 class, so that a tile says where it is from."""
    labels = default_rng(seed).integers(0, classes, (depth, *size)).astype(np.uint8)
    image = (1000.0 * np.arange(depth)[:, None, None] + 10 * labels).astype(np.float32)
    arrays = (xr.DataArray(one, dims=("z", "y", "x")) for one in (image, labels))
    return VolumeSlices(*arrays, Classes.numbered(classes))


@given(
    depth=st.integers(40, 60),
    test=st.floats(0.1, 0.3),
    validation=st.floats(0.1, 0.3),
    gap=st.integers(0, 3),
    blocks=st.integers(1, 2),
)
def test_blocks_are_apart_by_the_gap_and_nothing_is_in_two(depth, test, validation, gap, blocks) -> None:
    split = block_split(volume(depth, (2, 2), 1), test, validation, gap, blocks)
    train, check, judge = (np.array(part) for part in (split.train, split.validation, split.test))
    for one, other in ((train, check), (train, judge), (check, judge)):
        assert np.abs(one[:, None] - other[None]).min() > gap
    # Each part of each section is contiguous.
    assert sum(np.diff(judge) > 1) == blocks - 1
    assert len(judge) >= test * depth


def test_a_random_split_is_as_large_and_interleaved() -> None:
    slices = volume()
    blocks = block_split(slices, 0.25, 0.2, 1)
    dealt = random_split(blocks, default_rng(3))
    assert [len(p) for p in dealt.parts().values()] == [len(p) for p in blocks.parts().values()]
    members = sorted(n for part in dealt.parts().values() for n in part)
    assert members == sorted(n for part in blocks.parts().values() for n in part)
    nearest = np.abs(np.array(dealt.test)[:, None] - np.array(dealt.train)[None]).min(axis=1)
    assert (nearest == 1).mean() > 0.5


def test_an_impossible_split_says_so() -> None:
    with pytest.raises(InputError, match="leave nothing to train on"):
        block_split(volume(4), 0.5, 0.4, 1)
    with pytest.raises(InputError, match="add up to less than 1"):
        block_split(volume(4), 0.6, 0.5, 1)


def test_a_class_that_a_part_lacks_is_named_with_where_it_is() -> None:
    slices = volume(12, classes=2)
    labels = np.zeros((12, 20, 24), np.uint8)
    labels[11, 3, 3] = 1
    image = xr.DataArray(np.zeros(labels.shape, np.float32), dims=("z", "y", "x"))
    slices = VolumeSlices(image, xr.DataArray(labels, dims=("z", "y", "x")), Classes(names=("matrix", "crack")))
    split = block_split(slices, 0.25, 0.25, 0)
    with pytest.raises(InputError, match=r"'crack' is in none of the 6 slices of the part 'train'; it is in 1 others"):
        check_classes_present(slices, split)
    check_classes_present(slices, split, allow_absent=["crack"])


def test_tiles_come_from_their_slices_with_neighbours_and_labels_that_fit() -> None:
    slices = volume()
    tiles = SliceTiles(slices, [4, 9, 20], 8, seed=1, length=10, reach=1, augment=True, balanced=0.5)
    seen = set()
    for index in range(60):
        image, labels = (one.numpy() for one in tiles[index])
        z = int(image[1, 0, 0] // 1000)
        seen.add(z)
        assert [int(v) for v in image[:, 0, 0] // 1000] == [z - 1, z, z + 1]
        np.testing.assert_array_equal(image[1] - 1000 * z, 10 * labels)
    assert seen == {4, 9, 20}
    again = SliceTiles(slices, [4, 9, 20], 8, seed=1, length=10, reach=1, augment=True, balanced=0.5)
    assert all((tiles[i][0] == again[i][0]).all() for i in range(5))


def test_balanced_tiles_show_a_rare_class() -> None:
    labels = np.zeros((3, 64, 64), np.uint8)
    labels[1, 40, 40] = 1
    image = xr.DataArray(np.zeros(labels.shape, np.float32), dims=("z", "y", "x"))
    slices = VolumeSlices(image, xr.DataArray(labels, dims=("z", "y", "x")), Classes(names=("matrix", "crack")))
    shares = []
    for balanced in (0.0, 1.0):
        tiles = SliceTiles(slices, range(3), 8, seed=0, length=1, balanced=balanced)
        shares.append(np.mean([bool((tiles[i][1] == 1).any()) for i in range(200)]))
    assert shares[0] < 0.05
    assert shares[1] == pytest.approx(0.5, abs=0.12)


def test_slices_smaller_than_a_tile_are_padded_and_ignored_there() -> None:
    tiles = SliceTiles(volume(), [2], 32, seed=0, length=1)
    image, labels = tiles[0]
    assert image.shape == (1, 32, 32)
    assert (labels == 255).sum() == 32 * 32 - 20 * 24
    assert image.isfinite().all()


def test_a_grid_covers_every_pixel_once() -> None:
    slices = volume()
    grid = SliceGrid(slices, [3, 7], 8)
    counted = sum(int((labels != 255).sum()) for _, labels in grid)
    assert counted == 2 * 20 * 24
    assert Split((), (), ()).parts() == {"train": (), "validation": (), "test": ()}
