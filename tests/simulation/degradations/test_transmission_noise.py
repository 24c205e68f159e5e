import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.simulation import Sample
from beamforge.simulation.degradations.transmission_noise import TransmissionNoise
from contracts.step import StepContract


class TestTransmissionNoiseContract(StepContract):
    examples = [TransmissionNoise(), TransmissionNoise(counts=50.0, spread=0.0)]


def noisy(level: float, **settings) -> np.ndarray:
    before = Sample(image=np.full((1, 300, 300), level, np.float32), labels=np.zeros((300, 300), np.uint8))
    step = TransmissionNoise(**settings)
    return step.apply(before, step.draw(before, default_rng(1)), default_rng(2)).image[0].astype(np.float64)


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_relative_noise_is_one_over_the_root_of_the_counts(level: float) -> None:
    image = noisy(level, counts=400.0, spread=0.0)
    assert image.mean() == pytest.approx(level, rel=0.01)
    assert image.std() / level == pytest.approx(1 / np.sqrt(400 * level), rel=0.02)


def test_spread_light_makes_neighbours_alike_as_its_filter_does() -> None:
    image = noisy(0.5, counts=1000.0, spread=0.8)
    white = gaussian_filter(default_rng(3).standard_normal((1000, 1000)), 0.8)
    expected = np.mean(white[:, 1:] * white[:, :-1]) / white.var()
    rest = image - image.mean()
    assert np.mean(rest[:, 1:] * rest[:, :-1]) / rest.var() == pytest.approx(expected, abs=0.02)


def test_a_transmission_below_zero_counts_nothing() -> None:
    assert (noisy(-0.1, counts=1000.0, spread=0.5) == 0.0).all()
