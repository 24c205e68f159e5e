import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.intensities.radiograph import NOISE, Radiograph
from contracts.step import StepContract


def blank(side: int) -> Sample:
    return Sample.empty().replace(labels=np.zeros((side, side), np.uint8))


class TestRadiographContract(StepContract):
    examples = [Radiograph(), Radiograph(grain=0.0, edge=0.0, clouds=0.0)]

    def sample(self) -> Sample:
        return blank(48)


@pytest.mark.parametrize("psf", [0.0, 0.54, 1.0])
def test_the_noise_is_as_large_as_it_says(psf: float) -> None:
    step = Radiograph(level=1000.0, clouds=0.0, grain=0.0, edge=0.0, gain=5.0, psf=psf, read_noise=8.0)
    after = step.apply(blank(400), step.draw(blank(400), default_rng(0)), default_rng(1))
    assert after.image.mean() == pytest.approx(1000.0, rel=0.005)
    assert after.image[0, 10:-10, 10:-10].std() == pytest.approx(float(after.extras[NOISE].mean()), rel=0.02)


def test_a_dense_sample_is_darker_and_quieter() -> None:
    step = Radiograph(level=2000.0, clouds=0.0, grain=0.0, edge=1.0, read_noise=1.0)
    after = step.apply(blank(300), step.draw(blank(300), default_rng(2)), default_rng(3))
    noise = after.extras[NOISE]
    assert noise.max() / noise.min() == pytest.approx(np.exp(0.5), rel=0.02)
