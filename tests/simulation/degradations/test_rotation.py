import numpy as np
import pytest
from numpy.random import default_rng
from skimage.transform import rotate

from beamforge.simulation.degradations.rotation import Rotation
from contracts.moving import MovingContract
from contracts.step import example_sample


class TestRotation(MovingContract):
    examples = [Rotation(), Rotation(angle=(30, 60))]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_right_angles_are_exact(turns: int) -> None:
    sample = example_sample(size=(40, 40))
    turned = Rotation().apply(sample, {"angle": 90.0 * turns}, default_rng(0))
    np.testing.assert_array_equal(turned.labels, np.rot90(sample.labels, turns))
    np.testing.assert_allclose(turned.image, np.rot90(sample.image, turns, axes=(1, 2)), atol=1e-5)


def test_smooth_images_turn_as_in_scikit_image() -> None:
    y, x = np.mgrid[:60, :60]
    image = (np.sin(x / 7) * np.cos(y / 9) + 0.01 * x).astype(np.float32)[None]
    sample = example_sample(channels=1, size=(56, 56)).replace(image=image, labels=np.zeros((60, 60), np.uint8))
    turned = Rotation().apply(sample, {"angle": 25.0}, default_rng(0)).image[0]
    expected = rotate(image[0], 25.0, order=3, mode="symmetric")
    np.testing.assert_allclose(turned[10:-10, 10:-10], expected[10:-10, 10:-10], atol=2e-3)


def test_most_of_the_noise_is_kept() -> None:
    noise = default_rng(4).normal(size=(1, 128, 128)).astype(np.float32)
    sample = example_sample(channels=1).replace(image=noise, labels=np.zeros((128, 128), np.uint8))
    turned = Rotation().apply(sample, {"angle": 20.0}, default_rng(0)).image
    # Bilinear interpolation leaves 4/9 of the variance on average over all sub-pixel places, cubic splines 0.7 or more.
    assert turned.var() > 0.65
