import numpy as np
from numpy.random import default_rng
from scipy.special import ndtr

from beamforge.simulation import Sample
from beamforge.simulation.degradations.blur import Blur
from contracts.step import StepContract, example_sample


class TestBlurContract(StepContract):
    examples = [Blur(), Blur(sigma=[0.5, 3.0])]


def test_an_edge_becomes_the_integral_of_a_gaussian() -> None:
    image = np.zeros((1, 5, 60), np.float32)
    image[..., 30:] = 1.0
    before = Sample(image=image, labels=np.zeros((5, 60), np.uint8))
    after = Blur(sigma=3.0).apply(before, {"sigma": 3.0}, default_rng(0))
    np.testing.assert_allclose(after.image[0, 2], ndtr((np.arange(60) - 29.5) / 3.0), atol=2e-3)


def test_no_spread_changes_nothing() -> None:
    before = example_sample()
    np.testing.assert_array_equal(Blur().apply(before, {"sigma": 0.0}, default_rng(0)).image, before.image)
