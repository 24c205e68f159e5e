import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.lighting import Lighting
from contracts.step import StepContract

ONES = Sample(np.ones((1, 61, 61), np.float32), np.zeros((61, 61), np.uint8))


class TestLighting(StepContract):
    examples = [Lighting(), Lighting(slope=1.0, vignette=-0.5)]


def illumination(**drawn: float) -> np.ndarray:
    return Lighting().apply(ONES, drawn, default_rng(0)).image[0].astype(np.float64)


def test_the_bright_side_is_where_it_should_be() -> None:
    slope = illumination(slope=0.4, direction=90.0, vignette=0.0)
    # The rim is the circle through the corners: the edge's middle lies at 1/√2 of its radius.
    assert slope[0, 30] == pytest.approx(np.exp(0.4 / np.sqrt(2)), rel=1e-5)
    assert slope[60, 30] == pytest.approx(np.exp(-0.4 / np.sqrt(2)), rel=1e-5)
    corner = illumination(slope=0.4, direction=45.0, vignette=0.0)
    assert corner[0, 60] == pytest.approx(np.exp(0.4), rel=1e-5)


def test_a_vignette_darkens_the_rim() -> None:
    vignette = illumination(slope=0.0, direction=0.0, vignette=0.3)
    assert vignette[30, 30] / vignette[0, 0] == pytest.approx(np.exp(0.3), rel=1e-5)
    assert vignette[30, 30] / vignette[30, 0] == pytest.approx(np.exp(0.15), rel=1e-5)


def test_the_image_as_a_whole_is_as_bright_as_before() -> None:
    assert np.log(illumination(slope=0.4, direction=77.0, vignette=-0.2)).mean() == pytest.approx(0, abs=1e-7)
