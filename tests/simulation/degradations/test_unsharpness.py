import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.unsharpness import Unsharpness, blurred_by_disc, disc
from contracts.step import StepContract


class TestUnsharpnessContract(StepContract):
    examples = [Unsharpness(), Unsharpness(distance=400.0, collimation=100.0)]


@pytest.mark.parametrize("diameter", [0.01, 0.12, 0.5, 1.0, 3.3, 10.0])
def test_a_disc_has_the_width_of_a_disc(diameter: float) -> None:
    weights = disc(diameter)
    place = np.arange(len(weights)) - len(weights) // 2
    assert weights.sum() == pytest.approx(1.0)
    # A disc of diameter d has the variance d²/16 along each axis; pixels add at most 1/12.
    assert 0.0 <= (weights * place[:, None] ** 2).sum() - diameter**2 / 16 + 0.07 <= 0.2


def test_an_edge_spreads_over_the_distance_over_l_d() -> None:
    # 20 mm at L/D 200 throw a disc of 0.1 mm: 10 px of 10 µm.
    image = np.zeros((1, 9, 80), np.float32)
    image[..., 40:] = 1.0
    before = Sample(image=image, labels=np.zeros((9, 80), np.uint8))
    step = Unsharpness(pixel_size=10.0)
    line = step.apply(before, {"distance": 20.0, "collimation": 200.0}, default_rng(0)).image[0, 4]
    reached = (np.arange(80) - 39.5) / 5.0
    inside = np.clip(reached, -1.0, 1.0)
    exact = 0.5 + (inside * np.sqrt(1 - inside**2) + np.arcsin(inside)) / np.pi
    np.testing.assert_allclose(line, exact, atol=0.01)


def test_even_images_stay_even() -> None:
    np.testing.assert_allclose(blurred_by_disc(np.full((2, 12, 17), 3.0, np.float32), 6.0), 3.0, rtol=1e-5)
