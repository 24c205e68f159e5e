import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.etch_pits import EtchPits
from contracts.step import StepContract


class TestEtchPitsContract(StepContract):
    examples = [EtchPits(), EtchPits(density=50.0)]


def pitted(seed=1, **settings):
    step = EtchPits(**settings)
    before = Sample(np.full((2, 200, 200), 100.0, np.float32), np.zeros((200, 200), np.uint8))
    return step.apply(before, step.draw(before, default_rng(seed)), default_rng(seed)).image


def test_the_light_lost_is_that_of_the_pits():
    density, radius, depth = 4.0, 2.0, 0.4
    lost = np.mean([1.0 - pitted(seed, density=density, radius=radius, depth=depth) / 100.0 for seed in range(12)])
    # A spot 2^(−r²/R²) covers πR²/ln 2; radii are log-normal with σ = 0.4, depths uniform from 0.3 to 1 of the depth.
    area = np.pi * radius**2 * np.exp(2 * 0.4**2) / np.log(2)
    assert lost == pytest.approx(density * 1e-4 * area * 0.65 * depth, rel=0.15)


def test_channels_darken_alike_and_never_below_zero():
    image = pitted(density=20.0, depth=0.7)
    np.testing.assert_array_equal(image[0], image[1])
    assert image.min() >= 0.0
    assert image.max() <= 100.0
