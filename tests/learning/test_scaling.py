import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.stats import median_abs_deviation

from beamforge.errors import InputError
from beamforge.learning import Scaling


def stacks(count: int = 3, seed: int = 1) -> list[np.ndarray]:
    rng = default_rng(seed)
    return [
        np.stack([rng.normal(30000, 40, (20, 30)), rng.exponential(0.01, (20, 30))]).astype(np.float32)
        for _ in range(count)
    ]


def test_robust_is_median_and_scipys_mad() -> None:
    images = stacks()
    scaling = Scaling.fit(images)
    for channel in (0, 1):
        values = np.concatenate([image[channel].ravel() for image in images]).astype(np.float64)
        assert scaling.offset[channel] == np.median(values)
        assert scaling.scale[channel] == pytest.approx(median_abs_deviation(values, scale="normal"), rel=1e-4)


def test_standard_is_mean_and_deviation_in_float64() -> None:
    # float32 sums of 60,000 values near 30,000 would be off in the fifth digit of the deviation.
    images = stacks(100)
    values = np.concatenate([image[0].ravel() for image in images]).astype(np.float64)
    scaling = Scaling.fit(images, "standard")
    assert scaling.offset[0] == pytest.approx(values.mean(), rel=1e-12)
    assert scaling.scale[0] == pytest.approx(values.std(), rel=1e-12)


def test_outliers_and_invalid_pixels_do_not_move_the_robust_one() -> None:
    images = stacks()
    clean = Scaling.fit(images)
    spoilt = [image.copy() for image in images]
    for image in spoilt:
        image[:, :3, :3] = 1e9
        image[:, 3, :3] = np.nan
        image[:, 4, :3] = -np.inf
    moved = Scaling.fit(spoilt)
    np.testing.assert_allclose(moved.scale, clean.scale, rtol=0.15)
    np.testing.assert_allclose(moved.offset, clean.offset, atol=0.15 * clean.scale.max(), rtol=0)
    assert abs(moved.offset[1] - clean.offset[1]) < 0.15 * clean.scale[1]


def test_a_channel_that_is_mostly_one_value_takes_its_deviation() -> None:
    image = np.zeros((1, 10, 10), np.float32)
    image[0, 0, :4] = 5.0
    scaling = Scaling.fit([image])
    assert scaling.offset[0] == 0
    assert scaling.scale[0] == pytest.approx(image.astype(np.float64).std())


@given(st.integers(0, 2**32), st.floats(0.1, 1e4), st.floats(-1e4, 1e4))
def test_scaled_images_do_not_depend_on_units(seed: int, factor: float, shift: float) -> None:
    image = default_rng(seed).normal(0, 1, (1, 12, 12)).astype(np.float32)
    changed = (image.astype(np.float64) * factor + shift).astype(np.float32)
    first = Scaling.fit([image])(torch.from_numpy(image)[None])
    second = Scaling.fit([changed])(torch.from_numpy(changed)[None])
    resolution = np.spacing(np.float32(abs(shift) + 5 * factor)) / factor
    np.testing.assert_allclose(first, second, atol=10 * resolution + 1e-5)


def test_invalid_pixels_become_the_centre() -> None:
    image = torch.tensor([[[[1.0, torch.nan], [torch.inf, -torch.inf]]]])
    scaled = Scaling(offset=np.array([3.0]), scale=np.array([2.0]))(image)
    np.testing.assert_array_equal(scaled[0, 0], [[-1, 0], [0, 0]])


def test_json_round_trip_is_exact() -> None:
    scaling = Scaling.fit(stacks())
    again = Scaling.model_validate_json(scaling.model_dump_json())
    np.testing.assert_array_equal(again.offset, scaling.offset)
    np.testing.assert_array_equal(again.scale, scaling.scale)


def test_what_cannot_be_scaled_is_named() -> None:
    image = stacks(1)[0]
    image[1] = 0.5
    with pytest.raises(InputError, match=r"channel 1 is 0\.5 everywhere"):
        Scaling.fit([image])
    image[1] = np.nan
    with pytest.raises(InputError, match="channel 1 has no finite value"):
        Scaling.fit([image])
    with pytest.raises(InputError, match="no image"):
        Scaling.fit([])
    with pytest.raises(InputError, match=r"\(1, 3, 4, 4\), expected \(batch, 2, y, x\)"):
        Scaling.fit(stacks())(torch.zeros(1, 3, 4, 4))
