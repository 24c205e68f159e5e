import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reduction.black_body import PolynomialField, read_black_bodies


def dots(shape: tuple[int, int] = (120, 160), pitch: int = 30, radius: float = 4.0) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot((y % pitch) - pitch // 2, (x % pitch) - pitch // 2) <= radius


def quadratic(shape: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (60 + 0.2 * x - 0.1 * y + 0.002 * (x - 80) * (y - 60) - 0.001 * y**2).astype(np.float32)


def test_readings_are_medians_at_the_centres_of_the_dots() -> None:
    mask = dots()
    frame = quadratic(mask.shape)
    frame[15, 15] = 60000.0  # a gamma spot on the first dot
    readings = read_black_bodies(frame, mask)
    assert len(readings) == 20
    np.testing.assert_allclose(readings.places[0], (15, 15))
    expected = quadratic(mask.shape)[tuple(readings.places.astype(int).T)]
    np.testing.assert_allclose(readings.values, expected, atol=0.1)


def test_a_quadratic_field_is_found_exactly_and_scales_with_the_dose() -> None:
    mask = dots()
    field = quadratic(mask.shape)
    frame = np.where(mask, field, 1000.0).astype(np.float32)
    model = PolynomialField.fit(frame, mask)
    # The median of a curved field over a symmetric disc differs from its centre in second order only.
    np.testing.assert_allclose(model.of(frame), field, atol=0.1)
    np.testing.assert_allclose(model.of(3 * frame), 3 * field, atol=0.3)
    again = PolynomialField.model_validate_json(model.model_dump_json())
    np.testing.assert_array_equal(again.of(frame), model.of(frame))


def test_noise_in_the_readings_averages_out() -> None:
    mask = dots()
    field = quadratic(mask.shape)
    noisy = (np.where(mask, field, 1000.0) + default_rng(1).normal(0, 8, mask.shape)).astype(np.float32)
    error = PolynomialField.fit(noisy, mask).of(noisy) - field
    # 49 px a dot: a median's error is 8 * 1.25 / 7 = 1.4; 20 dots for 6 terms leave about 1.4 * sqrt(6 / 20) = 0.8.
    assert np.sqrt(np.mean(error**2)) < 2.0


def test_what_cannot_be_read_is_refused() -> None:
    mask = dots()
    frame = quadratic(mask.shape)
    with pytest.raises(InputError, match="shape"):
        read_black_bodies(frame[:100], mask)
    with pytest.raises(InputError, match="no dot"):
        read_black_bodies(frame, np.zeros_like(mask))
    small = np.zeros_like(mask)
    small[50:52, 50:52] = True
    with pytest.raises(InputError, match=r"dot 1 .* 4 finite pixels"):
        read_black_bodies(frame, small)
    with pytest.raises(InputError, match="do not determine"):
        PolynomialField.fit(frame, np.where(np.arange(120)[:, None] < 30, mask, False))
