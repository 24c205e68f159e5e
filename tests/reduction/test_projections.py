import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reduction.projections import (
    at_exposure_of,
    contrast,
    noise_of,
    rolling_background,
    rolling_median,
)


def stack(count: int = 9, size: tuple[int, int] = (12, 15), seed: int = 0) -> xr.DataArray:
    values = default_rng(seed).integers(1, 60000, (count, *size)).astype(np.uint16)
    return xr.DataArray(values, dims=("channel", "y", "x"))


@given(count=st.integers(5, 9), window=st.sampled_from([3, 5]), seed=st.integers(0, 50))
def test_the_median_is_numpys_over_the_window_moved_inside(count: int, window: int, seed: int) -> None:
    images = stack(count, (4, 5), seed)
    for number, (projection, background) in enumerate(rolling_median(images, window)):
        first = min(max(number - window // 2, 0), count - window)
        np.testing.assert_array_equal(projection, images.values[number])
        np.testing.assert_array_equal(background, np.median(images.values[first : first + window], axis=0))


def test_reads_a_lazy_stack_projection_by_projection() -> None:
    import dask.array as da

    images = stack(30)
    reads: list[int] = []

    def load(number: int) -> np.ndarray:
        reads.append(number)
        return images.values[number]

    import dask

    parts = [da.from_delayed(dask.delayed(load, pure=False)(n), (12, 15), np.uint16) for n in range(30)]
    lazy = xr.DataArray(da.stack(parts), dims=("channel", "y", "x"))
    pairs = rolling_median(lazy, 5)
    next(pairs)
    assert sorted(reads) == [0, 1, 2, 3, 4]
    assert sum(1 for _ in pairs) == 29
    assert sorted(reads) == list(range(30))


@pytest.mark.parametrize(
    ("images", "window", "message"),
    [
        (stack(5), 11, "5 projections, too few for a rolling median over 11"),
        (stack(9), 4, "an odd number"),
        (stack(9).astype(str), 3, "stack"),
        (stack(9)[0], 3, "stack"),
    ],
)
def test_says_what_is_wrong_with_a_stack(images: xr.DataArray, window: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        next(rolling_median(images, window))


def test_names_a_projection_that_is_zero_or_not_finite() -> None:
    dark = stack().copy()
    dark[4] = 0
    with pytest.raises(InputError, match=r"projection 4 \(counted from 0\) is zero everywhere"):
        list(rolling_median(dark, 3))
    broken = stack().astype(np.float32)
    broken[2, 3, 4] = np.nan
    with pytest.raises(InputError, match=r"projection 2 \(counted from 0\) holds values that are not finite"):
        list(rolling_median(broken, 3))


DARK = 70.0
EXPOSURES = (1.0, 0.98, 1.15, 1.04, 0.99, 1.01, 0.97)


def flickering(spots: bool) -> tuple[xr.DataArray, np.ndarray]:
    """Counts of a tube whose exposure changes, on a dark level, and what is expected without spots."""
    rng = default_rng(11)
    y, x = np.ogrid[:256, :320]
    beam = 500.0 * np.exp(-((y - 100) ** 2 + (x - 150) ** 2) / (2 * 150.0**2)) + 60.0
    beam[110:160, 120:190] *= 0.1
    expected = DARK + np.array(EXPOSURES)[:, None, None] * beam
    images = rng.poisson(expected - DARK) + DARK
    if spots:
        for image in images:
            for top, left in zip(rng.integers(0, 240, 40), rng.integers(0, 300, 40), strict=True):
                image[top : top + 12, left : left + 12] += 2000.0
    return xr.DataArray(images.astype(np.float32), dims=("channel", "y", "x")), expected


@pytest.mark.parametrize("spots", [False, True])
def test_the_background_follows_the_exposure_on_any_dark_level(spots: bool) -> None:
    images, expected = flickering(spots)
    plain, followed = [], []
    for truth, (_, median), (_, background) in zip(
        expected, rolling_median(images, 7), rolling_background(images, 7), strict=True
    ):
        noise = np.sqrt(truth - DARK)
        plain.append(np.median((median - truth) / noise))
        # Wide parts of the detector, so that an error at bright places and one at dark ones do not make up for another.
        followed.append([np.median(part) for part in np.array_split((background - truth) / noise, 4, axis=1)])
    assert np.max(np.abs(plain)) > 2.0
    # A median over 7 has 0.47 of the noise, that over 5120 and more pixels 0.01; spots lift it by about 0.07.
    assert np.max(np.abs(followed)) < (0.15 if spots else 0.05)


def test_a_background_at_its_own_exposure_stays() -> None:
    y, x = np.ogrid[:96, :128]
    median = (300.0 + x + 2.0 * y).astype(np.float32)
    np.testing.assert_allclose(at_exposure_of(median.copy(), median), median, rtol=1e-6)


@pytest.mark.parametrize("size", [(10, 12), (40, 200)])
def test_a_flat_background_and_a_small_one_are_lifted(size: tuple[int, int]) -> None:
    flat = np.full(size, 100.0, np.float32)
    np.testing.assert_allclose(at_exposure_of(flat + np.float32(7.0), flat), 107.0, rtol=1e-6)


def test_noise_follows_the_local_deviation_and_spots_do_not_raise_it() -> None:
    deviation = np.linspace(2.0, 8.0, 256)[None, :] * np.ones((256, 1))
    image = (deviation * default_rng(1).standard_normal((256, 256))).astype(np.float32)
    image[100:108, 100:110] += 500.0
    found = noise_of(image)
    # A median over 32² values scatters by about 1.17 / sqrt(1024) = 4 %; the ramp's ends are flat by half a block.
    np.testing.assert_allclose(found[:, 16:-16], deviation[:, 16:-16], rtol=0.2)


@given(gain=st.floats(0.01, 1000.0))
def test_contrast_does_not_know_the_gain(gain: float) -> None:
    image = default_rng(2).normal(0, 3, (64, 64)).astype(np.float32)
    np.testing.assert_allclose(contrast(image * np.float32(gain)), contrast(image), rtol=1e-4, atol=1e-5)


def test_no_noise_is_said() -> None:
    with pytest.raises(InputError, match="no noise"):
        noise_of(np.zeros((64, 64), np.float32))
