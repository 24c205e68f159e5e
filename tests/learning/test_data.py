"""Torch data sets: the same bytes for any number of workers, and only pixels that count."""

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning.data import (
    LabelledImages,
    MeasuredTiles,
    Remembered,
    Selection,
    SimulatedDataset,
    StoredDataset,
    as_item,
    grid_tiles,
)
from beamforge.learning.loading import load
from beamforge.simulation import Scenario
from beamforge.simulation.dataset import write_dataset
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import IGNORE, Channel, Classes, as_labels, as_stack
from contracts.steps_for_tests import LabelNoise

SCENARIO = Scenario(
    steps=(Checkerboard(classes=3, tile=20), LabelNoise(channels=2)),
    classes=Classes(names=("water", "quartz", "air")),
    channels=(Channel(mode="H0"), Channel(mode="DF")),
)


def places(rows: int, columns: int) -> xr.DataArray:
    """A stack whose two channels tell the place of every pixel."""
    image = np.stack(np.mgrid[:rows, :columns]).astype(np.float32)
    return as_stack(image, [Channel(mode="row"), Channel(mode="column")])


def annotated(values: np.ndarray) -> xr.DataArray:
    return as_labels(values, ["water", "quartz"])


def measurement() -> tuple[xr.DataArray, xr.DataArray]:
    labels = np.full((40, 50), IGNORE, np.uint8)
    labels[10:14, 20:26] = 1
    labels[30, 45] = 0
    return places(40, 50), annotated(labels)


def datasets(folder: Path) -> dict[str, LabelledImages]:
    write_dataset(SCENARIO, folder / "data.zarr", 6, seed=4)
    stack, labels = measurement()
    return {
        "simulated": SimulatedDataset(SCENARIO, seed=4, length=6),
        "stored": StoredDataset(folder / "data.zarr"),
        "measured": MeasuredTiles(stack, labels, tile=16, seed=4, length=6, augment=True),
        "grid": grid_tiles(stack, labels, tile=12),
    }


def test_same_bytes_for_0_1_and_4_workers(tmp_path: Path) -> None:
    for name, dataset in datasets(tmp_path).items():
        order = [[0, 2], [1]] if name == "grid" else [[3, 0], [5, 1], [2, 4]]
        batches = [list(load(dataset, order, workers)) for workers in (0, 1, 4)]
        for other in batches[1:]:
            assert len(other) == len(batches[0])
            for (image, labels), (image_0, labels_0) in zip(other, batches[0], strict=True):
                assert image.numpy().tobytes() == image_0.numpy().tobytes()
                assert labels.numpy().tobytes() == labels_0.numpy().tobytes()


def test_types_and_what_travels_with_the_items(tmp_path: Path) -> None:
    for name, dataset in datasets(tmp_path).items():
        image, labels = dataset[0]
        assert image.dtype == torch.float32
        assert labels.dtype == torch.int64
        assert image.shape == (2, *labels.shape)
        assert image.is_contiguous()
        assert len(dataset.channels) == 2
        assert dataset.classes.names[:2] == ("water", "quartz")
        assert dataset.endless == (name in ("simulated", "measured"))
        assert len(list(dataset)) == len(dataset)
        with pytest.raises(IndexError):
            dataset[-1]
        if dataset.endless:
            assert not torch.equal(dataset[1000][0], image)
        else:
            with pytest.raises(IndexError, match=f"item {len(dataset)} of {len(dataset)}"):
                dataset[len(dataset)]


def test_stored_is_simulated(tmp_path: Path) -> None:
    made = datasets(tmp_path)
    for (image, labels), (image_1, labels_1) in zip(made["stored"], made["simulated"], strict=True):
        assert torch.equal(image, image_1)
        assert torch.equal(labels, labels_1)


def test_invalid_pixels_are_ignored() -> None:
    image = np.ones((2, 3, 4), np.float32)
    image[0, 0, 0], image[1, 2, 3] = np.nan, np.inf
    labels = as_item(image, np.ones((3, 4), np.uint8))[1].numpy()
    expected = np.ones((3, 4))
    expected[0, 0] = expected[2, 3] = IGNORE
    np.testing.assert_array_equal(labels, expected)


@given(st.integers(1, 40), st.booleans(), st.integers(0, 2**31), st.integers(0, 10**6))
def test_tiles_show_their_place_and_a_labelled_pixel(tile: int, augment: bool, seed: int, index: int) -> None:
    stack, labels = measurement()
    image, cut = MeasuredTiles(stack, labels, tile, seed, 1, augment=augment)[index]
    assert image.shape == (2, tile, tile)
    assert (cut != IGNORE).any()
    rows, columns = image.numpy().astype(int)
    np.testing.assert_array_equal(labels.values[rows, columns], cut)
    assert np.ptp(rows) == np.ptp(columns) == tile - 1


def test_every_position_with_a_label_is_equally_likely() -> None:
    labels = np.full((12, 14), IGNORE, np.uint8)
    labels[0, 0], labels[5, 9] = 0, 1
    tiles = MeasuredTiles(places(12, 14), annotated(labels), 3, seed=1, length=1)
    draws = 10_000
    corners = np.array([tiles.arrays(i)[0][:, 0, 0] for i in range(draws)]).astype(int)
    seen, counts = np.unique(corners, axis=0, return_counts=True)
    expected = {(0, 0)} | {(row, column) for row in (3, 4, 5) for column in (7, 8, 9)}
    assert {tuple(corner) for corner in seen.tolist()} == expected
    # Chi-square with 9 degrees of freedom: 99.99 % lie below 33.7.
    assert ((counts - draws / 10) ** 2 / (draws / 10)).sum() < 33.7


def test_augmentation_reaches_all_eight_orientations_equally() -> None:
    tiles = MeasuredTiles(places(2, 2), annotated(np.zeros((2, 2), np.uint8)), 2, seed=1, length=1, augment=True)
    seen, counts = np.unique([tiles.arrays(i)[0].ravel() for i in range(4000)], axis=0, return_counts=True)
    assert len(seen) == 8
    # Chi-square with 7 degrees of freedom: 99.99 % lie below 29.9.
    assert ((counts - 500) ** 2 / 500).sum() < 29.9


def test_tiles_never_rest_on_invalid_pixels_alone() -> None:
    stack, labels = measurement()
    values = stack.values.copy()
    values[0, 30, 45] = np.nan
    tiles = MeasuredTiles(stack.copy(data=values), labels, 5, seed=1, length=1)
    assert all((tiles[index][1] == 1).any() for index in range(300))


def test_measurements_that_give_no_tile_are_refused() -> None:
    stack, labels = measurement()
    with pytest.raises(InputError, match=r"a tile of 41×41 px does not fit into the image of 40×50 px.*at most 40"):
        MeasuredTiles(stack, labels, 41, seed=1, length=1)
    nothing = labels.copy(data=np.full((40, 50), IGNORE, np.uint8))
    with pytest.raises(InputError, match="no pixel is both labelled and finite"):
        MeasuredTiles(stack, nothing, 10, seed=1, length=1)
    with pytest.raises(InputError, match="no pixel is both labelled and finite"):
        grid_tiles(stack, nothing, 10)
    with pytest.raises(InputError, match="crop or pad"):
        grid_tiles(stack, labels[:-1], 10)
    with pytest.raises(InputError, match="0 items"):
        MeasuredTiles(stack, labels, 10, seed=1, length=0)


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_grid_tiles_hold_every_labelled_pixel_once(tile: int, seed: int) -> None:
    values = default_rng(seed).choice(np.array([0, 1, IGNORE], np.uint8), (23, 31), p=[0.02, 0.02, 0.96])
    values[3, 4] = 1
    found = np.full((23, 31), IGNORE)
    for image, labels in grid_tiles(places(23, 31), annotated(values), tile):
        counted = labels.numpy() != IGNORE
        assert counted.any()
        assert torch.isfinite(image).all()
        rows, columns = image.numpy().astype(int)[:, counted]
        assert (found[rows, columns] == IGNORE).all()
        found[rows, columns] = labels.numpy()[counted]
    np.testing.assert_array_equal(found, values)


def test_grid_tiles_go_on_by_reflection() -> None:
    stack, labels = places(5, 5), annotated(np.ones((5, 5), np.uint8))
    image, cut = grid_tiles(stack, labels, 4)[3]
    np.testing.assert_array_equal(image[0, :, 0], [4, 4, 4, 4])
    image, cut = grid_tiles(stack, labels, 8)[0]
    np.testing.assert_array_equal(image[1, 0], [0, 1, 2, 3, 4, 3, 2, 1])
    assert (cut[:5, :5] == 1).all()
    assert (cut[5:] == IGNORE).all()
    assert (cut[:, 5:] == IGNORE).all()


def test_balanced_tiles_are_centred_on_each_class_equally_often() -> None:
    labels = np.full((40, 50), IGNORE, np.uint8)
    labels[12:30, 12:38] = 0
    labels[20, 25] = 1
    tiles = MeasuredTiles(places(40, 50), annotated(labels), 9, seed=3, length=1, balanced=True)
    centres = [tiles.arrays(index) for index in range(1000)]
    rare = sum(int(cut[4, 4] == 1) for _, cut in centres)
    assert all(cut[4, 4] != IGNORE for _, cut in centres)
    # Binomial with p = 1/2: 4 standard deviations.
    assert abs(rare - 500) < 4 * np.sqrt(250)
    common = np.array([image[:, 4, 4] for image, cut in centres if cut[4, 4] == 0])
    assert len(np.unique(common, axis=0)) > 250  # of 467 pixels, each equally likely


def test_balanced_tiles_stay_inside_the_image_and_off_invalid_pixels() -> None:
    stack, labels = measurement()
    labels.values[0, 0] = labels.values[39, 49] = 1
    stack = stack.copy(data=stack.values)
    stack.values[0, 30, 45] = np.nan  # the only pixel of class 0
    tiles = MeasuredTiles(stack, labels, 16, seed=1, length=1, balanced=True)
    cuts = [tiles.arrays(index)[1] for index in range(200)]
    assert all(cut.shape == (16, 16) and (cut == 1).any() for cut in cuts)


def test_a_selection_takes_items_in_its_order() -> None:
    first, second = SimulatedDataset(SCENARIO, 1, 4), SimulatedDataset(SCENARIO, 2, 4)
    chosen = Selection([(second, 3), (first, 0), (second, 3)])
    assert len(chosen) == 3
    for found, (data, number) in zip(chosen, [(second, 3), (first, 0), (second, 3)], strict=True):
        assert torch.equal(found[0], data[number][0])
        assert torch.equal(found[1], data[number][1])
    assert chosen.sample(1).parameters["seed"] == 1


def test_a_selection_of_what_does_not_go_together_is_refused() -> None:
    other = SimulatedDataset(SCENARIO.model_copy(update={"classes": Classes(names=("a", "b", "c"))}), 1, 4)
    with pytest.raises(InputError, match="cannot be joined"):
        Selection([(SimulatedDataset(SCENARIO, 1, 4), 0), (other, 0)])
    with pytest.raises(InputError, match="no item"):
        Selection([])


def test_remembered_items_are_made_once_while_there_is_room() -> None:
    made: list[int] = []

    class Counted(SimulatedDataset):
        def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            made.append(index)
            return super().arrays(index)

    whole = Counted(SCENARIO, 1, 3)
    image, labels = whole.arrays(0)
    data = Remembered(whole, most_bytes=2 * (image.nbytes + labels.nbytes))
    made.clear()
    for _ in range(3):
        for number in range(3):
            found, expected = data[number], SimulatedDataset(SCENARIO, 1, 3)[number]
            assert torch.equal(found[0], expected[0])
            assert torch.equal(found[1], expected[1])
    assert sorted(made) == [0, 1, 2, 2, 2]
    assert data.sample(2).parameters["index"] == 2
