import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.ndimage import median_filter

from beamforge.errors import InputError
from beamforge.statistics.local_noise import NoiseModel, local_background, local_contrast


def counted(seed: int, gain: float = 5.0, read: float = 12.0, side: int = 256) -> np.ndarray:
    """Counting noise of a signal that rises from 300 to 3000 over the image."""
    rng = default_rng(seed)
    signal = np.broadcast_to(np.linspace(300, 3000, side), (side, side))
    return (gain * rng.poisson(signal / gain) + read * rng.standard_normal((side, side))).astype(np.float32)


@pytest.mark.parametrize("shape", [(60, 41), (30, 9), (6, 5)])
def test_the_background_is_the_median_of_a_ring_without_the_pixel_and_its_neighbours(shape: tuple[int, int]) -> None:
    image = default_rng(0).normal(size=shape).astype(np.float32)
    ring = np.ones((9, 9), bool)
    ring[3:6, 3:6] = False
    np.testing.assert_array_equal(local_background(image), median_filter(image, footprint=ring, mode="mirror"))


def test_the_noise_of_counts_is_found_in_spite_of_spots() -> None:
    image = counted(1)
    spots = default_rng(2).random(image.shape) < 0.01
    image[spots] += 2000.0
    noise = NoiseModel.fit([image])
    for signal in (500.0, 1500.0, 2800.0):
        found = float(noise.deviation(np.float32(signal)))
        assert found == pytest.approx(np.sqrt(5.0 * signal + 12.0**2), rel=0.05)


def test_eight_bit_images_have_noise_between_their_steps() -> None:
    image = np.rint(default_rng(3).normal(100.0, 2.3, (200, 200))).astype(np.float32)
    # Rounding adds 1/12 to the variance, the median of 72 pixels adds 2 %.
    expected = np.sqrt((2.3**2 + 1 / 12) * (1 + np.pi / 2 / 72))
    assert float(NoiseModel.fit([image]).deviation(np.float32(100.0))) == pytest.approx(expected, rel=0.03)


def test_contrast_is_in_standard_deviations_at_every_signal() -> None:
    image = counted(4)
    contrast = local_contrast(image, NoiseModel.fit([image]))
    for part in np.array_split(contrast, 4, axis=1):
        assert part.std() == pytest.approx(1.0, abs=0.08)


def test_a_spot_does_not_judge_itself() -> None:
    image = counted(5)
    image[100:103, 100:103] += 5000.0
    contrast = local_contrast(image, NoiseModel.fit([image]))
    assert contrast[100:103, 100:103].min() > 30.0


@settings(max_examples=10)
@given(factor=st.floats(0.01, 100.0), offset=st.floats(-1000.0, 1000.0))
def test_contrast_does_not_know_gain_and_offset(factor: float, offset: float) -> None:
    image = counted(6, side=96)
    other = (np.float32(factor) * (image + np.float32(offset))).astype(np.float32)
    first = local_contrast(image, NoiseModel.fit([image]))
    np.testing.assert_allclose(local_contrast(other, NoiseModel.fit([other])), first, atol=0.02, rtol=0.02)


def test_invalid_pixels_have_no_contrast_and_harm_no_other() -> None:
    image = counted(7, side=96)
    broken = image.copy()
    broken[40, 40] = np.nan
    broken[60:64, 10:30] = np.inf
    noise = NoiseModel.fit([broken])
    contrast = local_contrast(broken, noise)
    assert np.isfinite(contrast).all()
    assert (contrast[~np.isfinite(broken)] == 0).all()
    far = np.ones(image.shape, bool)
    far[25:80, :50] = False
    np.testing.assert_array_equal(contrast[far], local_contrast(image, noise)[far])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((50, 50), 7.0, np.float32), "no noise"),
        (np.full((50, 50), np.nan, np.float32), "fewer than 100 finite pixels"),
        (np.ones((5, 5), np.float32), "fewer than 100 finite pixels"),
    ],
)
def test_images_without_noise_are_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        NoiseModel.fit([image])
