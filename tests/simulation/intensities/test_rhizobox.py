import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.intensities.rhizobox import Rhizobox, filtered_noise
from contracts.roots_for_tests import root_sample
from contracts.step import StepContract

EVEN = {
    "soil_attenuation": 0.3, "water_attenuation": 3.3, "water": 0.1, "water_gradient": 0.0, "water_variation": 0.0,
    "uptake": 0.0, "dry_patches": 0, "front": 50.0, "texture": 1e-6, "root_water": 0.9, "wall": 0.8, "wall_width": 4.0,
}  # fmt: skip


class TestRhizoboxContract(StepContract):
    examples = [Rhizobox(), Rhizobox(front=[-1.0, 1.0], dry_patches=3), Rhizobox(**EVEN)]

    def sample(self) -> Sample:
        return root_sample()


def filled(seed: int = 1, **settings) -> np.ndarray:
    step, sample = Rhizobox(**{**EVEN, **settings}), root_sample()
    return step.apply(sample, step.draw(sample, default_rng(seed)), default_rng(seed)).image[0]


def test_even_soil_follows_beer_lambert() -> None:
    image = filled()
    soil = 0.3 + 3.3 * 0.1  # per cm
    assert image[30, 5] == pytest.approx(np.exp(-soil * 0.8), rel=1e-4)
    assert image[30, 20] == pytest.approx(np.exp(-soil * 0.7 - 3.3 * 0.9 * 0.1), rel=1e-4)
    assert image[5, 5] == pytest.approx(1.0)
    assert image[5, 20] == pytest.approx(np.exp(-3.3 * 0.9 * 0.1), rel=1e-4)
    assert image[30, 41] == pytest.approx(0.8)
    assert image[30, 46] == pytest.approx(1.0)


def test_roots_are_darker_than_dry_soil_and_vanish_in_soil_as_wet_as_they_are() -> None:
    def contrast(water: float) -> float:
        image = filled(water=water)
        return float(image[30, 20] / image[30, 5])

    assert contrast(0.05) < contrast(0.2) < 1.0
    # A root takes the place of soil: at equal attenuation nothing is seen.
    assert contrast((3.3 * 0.9 - 0.3) / 3.3) == pytest.approx(1.0, abs=1e-4)


def test_water_grows_with_depth_as_the_gradient_says() -> None:
    image = filled(water_gradient=0.2)
    content = (-np.log(image[:, 5]) / 0.8 - 0.3) / 3.3
    np.testing.assert_allclose(content[12:], 0.1 + 0.2 * (np.arange(12, 40) - 10) / 100, rtol=1e-3)


def test_uptake_dries_the_soil_next_to_a_root_and_not_far_away() -> None:
    dry = filled(uptake=-0.1, uptake_reach=3.0) / filled()
    assert dry[30, 23] > 1.01
    assert dry[30, 38] == pytest.approx(1.0, abs=1e-3)


def test_below_the_front_the_soil_is_saturated_but_for_islands() -> None:
    wet = np.stack([filled(seed, front=-3.0, saturation=0.4)[20:, :15] for seed in range(15)])
    dry = filled()[20:, :15]
    assert np.median(wet) == pytest.approx(np.exp(-(0.3 + 3.3 * 0.4) * 0.8), rel=0.02)
    assert (wet <= dry + 1e-6).all()
    # Islands are what lies above 1.4 of a field with a standard deviation of 1.04.
    assert 0.02 < (wet > 0.5 * (dry + np.median(wet))).mean() < 0.25


def test_texture_has_the_spread_and_correlation_asked_for() -> None:
    for sigma in (0.5, 1.0, 4.0):
        noise = filtered_noise((400, 400), sigma, default_rng(1)).astype(np.float64)
        assert noise.std() == pytest.approx(1.0, rel=0.12 if sigma == 4.0 else 0.03)
        if sigma >= 1.0:
            lag = round(sigma)
            found = np.mean(noise[:, lag:] * noise[:, :-lag]) / noise.var()
            assert found == pytest.approx(np.exp(-(lag**2) / (4 * sigma**2)), abs=0.04)


def test_gain_of_the_texture_on_the_logarithm_is_the_optical_depth() -> None:
    spread = np.std(np.log(np.concatenate([filled(seed, texture=0.05)[15:, :15] for seed in range(12)])))
    assert spread == pytest.approx(0.05 * (0.3 + 0.33) * 0.8, rel=0.1)
