"""Splitting the annotated pixels of one measurement into a part to train on and a part to test on."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import ndimage

from beamforge.errors import InputError
from beamforge.learning.tiles import spatial_split
from beamforge.stack import IGNORE, as_labels


def regions(seed: int = 0, size: int = 160, classes: int = 4) -> xr.DataArray:
    """Smooth regions of several classes, a part of them annotated."""
    rng = default_rng(seed)
    fields = ndimage.gaussian_filter(rng.normal(size=(classes, size, size)), (0, 6, 6))
    values = fields.argmax(axis=0).astype(np.uint8)
    values[ndimage.gaussian_filter(rng.normal(size=(size, size)), 8) > 0] = IGNORE
    return as_labels(values, [f"class {i}" for i in range(classes)], pixel_size=48.0)


def pixels(labels: xr.DataArray) -> np.ndarray:
    return np.bincount(labels.values.ravel(), minlength=256)[:IGNORE]


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.floats(0.15, 0.6), st.integers(8, 30), st.integers(0, 6))
def test_parts_are_apart_and_keep_their_labels(seed: int, fraction: float, block: int, guard: int) -> None:
    labels = regions()
    train, test = spatial_split(labels, fraction, block, default_rng(seed), guard=guard)
    for part in (train, test):
        kept = part.values != IGNORE
        np.testing.assert_array_equal(part.values[kept], labels.values[kept])
        assert part.attrs == labels.attrs
    near_test = ndimage.binary_dilation(test.values != IGNORE, np.ones((2 * guard + 1,) * 2))
    assert not (near_test & (train.values != IGNORE)).any()
    lost = (labels.values != IGNORE) & (train.values == IGNORE) & (test.values == IGNORE)
    assert not (lost & ~near_test).any()


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_every_class_is_shared_out(seed: int) -> None:
    labels = regions(seed % 5)
    train, test = spatial_split(labels, 0.3, 10, default_rng(seed))
    share = pixels(test)[:4] / pixels(labels)[:4]
    assert (pixels(train)[:4] > 0).all()
    assert np.abs(share - 0.3).max() < 0.06
    np.testing.assert_array_equal(pixels(train) + pixels(test), pixels(labels))


def test_test_pixels_form_whole_blocks() -> None:
    labels = as_labels(np.zeros((90, 100), np.uint8), ["all"])
    _, test = spatial_split(labels, 0.25, 15, default_rng(1))
    chosen = test.values == 0
    fits = [
        all(np.unique(part).size < 2 for row in np.split(chosen, rows) for part in np.split(row, columns, axis=1))
        for rows in (range(top, 90, 15) for top in range(15))
        for columns in (range(left, 100, 15) for left in range(15))
    ]
    assert any(fits)


def test_a_rare_class_stands_in_both_parts() -> None:
    values = np.zeros((200, 200), np.uint8)
    values[10:14, 10:14] = values[150:154, 180:184] = 1
    for seed in range(10):
        train, test = spatial_split(as_labels(values, ["much", "rare"]), 0.3, 25, default_rng(seed))
        assert min(pixels(train)[1], pixels(test)[1]) > 0


def test_same_stream_same_split() -> None:
    first, second = (spatial_split(regions(), 0.3, 16, default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[1], second[1])
    assert (spatial_split(regions(), 0.3, 16, default_rng(6))[1].values != first[1].values).any()


def test_what_cannot_be_split_is_refused() -> None:
    rng = default_rng(0)
    spot = np.full((100, 100), IGNORE, np.uint8)
    spot[50, 50] = 0
    with pytest.raises(InputError, match=r"leave nothing to test on in blocks of 20 px.*annotate more places"):
        spatial_split(as_labels(spot, ["spot"]), 0.3, 20, rng)
    with pytest.raises(InputError, match=r"leave nothing to train on .* guard of 200 px"):
        spatial_split(regions(), 0.3, 20, rng, guard=200)
    for fraction in (0.0, 1.0, float("nan")):
        with pytest.raises(InputError, match="expected a share between 0 and 1"):
            spatial_split(regions(), fraction, 20, rng)
    with pytest.raises(InputError, match="block is 0 px"):
        spatial_split(regions(), 0.3, 0, rng)
