from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.random import default_rng

from beamforge.simulation.textures.quilting import PatchDictionary, cut_patches, grow_texture, least_cut, paste


def least_by_trying_all(errors: np.ndarray) -> float:
    rows, columns = errors.shape
    paths = (p for p in product(range(columns), repeat=rows) if np.abs(np.diff(p)).max(initial=0) <= 1)
    return min(errors[np.arange(rows), path].sum() for path in paths)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.integers(0, 9)))
def test_the_cut_is_connected_and_no_path_costs_less(errors: np.ndarray) -> None:
    path = least_cut(errors)
    assert np.abs(np.diff(path)).max(initial=0) <= 1
    assert errors[np.arange(len(path)), path].sum() == least_by_trying_all(errors)


def dictionary(seed: int = 0, count: int = 40, side: int = 12, overlap: int = 4, channels: int = 2) -> PatchDictionary:
    image = default_rng(seed).normal(1.0, 0.2, (channels, 50, 60)).astype(np.float32)
    return PatchDictionary(*cut_patches(image, side, count, default_rng(seed + 1)), overlap=overlap)


def test_patches_are_where_they_say() -> None:
    image = default_rng(3).normal(size=(2, 20, 30)).astype(np.float32)
    patches, places = cut_patches(image, 7, 25, default_rng(4))
    for patch, (y, x) in zip(patches, places, strict=True):
        np.testing.assert_array_equal(patch, image[:, y : y + 7, x : x + 7])


def test_misfits_are_sums_of_squared_differences() -> None:
    known = dictionary()
    standing = default_rng(9).normal(1.0, 0.2, (3, 2, 12, 12)).astype(np.float32)
    left, top = standing[..., :4], standing[..., :4, :]
    found = known.misfits(left.reshape(3, -1), top.reshape(3, -1))
    strips = ((left, known.patches[..., :4]), (top, known.patches[..., :4, :]))
    expected = sum(
        ((a[:, None].astype(np.float64) - b[None].astype(np.float64)) ** 2).sum(axis=(2, 3, 4)) for a, b in strips
    )
    # Terms of up to some 200 (squared lengths of strips) cancel in float32.
    np.testing.assert_allclose(found, expected, atol=200 * 2**-20)
    np.testing.assert_array_equal(known.misfits(left.reshape(3, -1), None) >= 0, True)


def test_the_overlap_is_of_both_and_the_rest_is_the_patch() -> None:
    rng = default_rng(5)
    standing, patch = rng.normal(size=(2, 1, 10, 10)).astype(np.float32)
    joined = standing.copy()
    paste(joined, patch, 3, True, True)
    np.testing.assert_array_equal(joined[:, 3:, 3:], patch[:, 3:, 3:])
    assert ((joined == standing) | (joined == patch)).all()
    assert (joined[:, 3:, 0] == standing[:, 3:, 0]).any()


def test_all_pixels_of_a_texture_come_from_the_patches() -> None:
    known = dictionary(count=60)
    grown = grow_texture(known, (31, 47), 5, 0.1, default_rng(1))
    assert grown.shape == (2, 31, 47)
    np.testing.assert_array_equal(grown[:, :8, :8], known.patches[5][:, :8, :8])
    pixels = {tuple(pixel) for pixel in known.patches.transpose(0, 2, 3, 1).reshape(-1, 2).tolist()}
    assert {tuple(pixel) for pixel in grown.transpose(1, 2, 0).reshape(-1, 2).tolist()} <= pixels


def test_patches_continue_what_stands_better_than_random_ones_would() -> None:
    """A sinusoid has one phase; patches that fit keep it, patches at random do not."""
    x = np.arange(200)
    image = np.broadcast_to(np.sin(2 * np.pi * x / 23.0), (1, 80, 200)).astype(np.float32)
    known = PatchDictionary(*cut_patches(image, 16, 400, default_rng(0)), overlap=6)
    grown = grow_texture(known, (16, 116), 0, 0.1, default_rng(2))[0, 8]
    jumps = np.abs(np.diff(grown))
    steepest = 2 * np.sin(np.pi / 23.0)
    # Each of ten seams adds at most the phase error of the nearest of 400 patches.
    assert jumps.max() < 1.5 * steepest


def test_a_repeated_patch_costs_more() -> None:
    known = dictionary()
    near = known.near(0)
    assert near[0]
    apart = np.abs(known.places - known.places[0]).max(axis=1)
    np.testing.assert_array_equal(near, apart <= 6)


def test_a_patch_as_large_as_the_image_is_the_image() -> None:
    image = default_rng(1).normal(size=(1, 9, 9)).astype(np.float32)
    patches, places = cut_patches(image, 9, 2, default_rng(0))
    np.testing.assert_array_equal(places, 0)
    grown = grow_texture(PatchDictionary(patches, places, 3), (9, 9), 1, 0.0, default_rng(0))
    np.testing.assert_array_equal(grown, image)


@pytest.mark.parametrize("size", [(12, 12), (12, 40), (40, 12), (13, 29)])
def test_any_size_is_filled(size: tuple[int, int]) -> None:
    grown = grow_texture(dictionary(channels=1), size, 0, 0.1, default_rng(3))
    assert grown.shape == (1, *size)
    assert (grown != 0.0).all()
