import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.scatter import Scatter
from contracts.step import StepContract


class TestScatterContract(StepContract):
    examples = [Scatter(), Scatter(fraction=[-0.1, 0.1], distance=[5.0, 20.0])]


def test_half_a_plane_of_water_beside_open_beam() -> None:
    # Removed neutrons 0.8 on one side, none on the other: the field is that share of 1/2 + atan(x / d) / pi.
    image = np.ones((1, 40, 400), np.float32)
    image[..., 200:] = 0.2
    before = Sample(image=image, labels=np.zeros((40, 400), np.uint8))
    after = Scatter().apply(before, {"fraction": 0.5, "distance": 8.0}, default_rng(0))
    field = 0.5 + np.arctan((np.arange(400) - 199.5) / 8.0) / np.pi
    np.testing.assert_allclose(after.image[0, 20] - image[0, 20], 0.5 * 0.8 * field, atol=0.006)


def test_open_beam_scatters_nothing_even_where_noise_exceeds_it() -> None:
    image = (1.0 + 0.01 * np.abs(default_rng(1).standard_normal((1, 30, 30)))).astype(np.float32)
    before = Sample(image=image, labels=np.zeros((30, 30), np.uint8))
    after = Scatter().apply(before, {"fraction": 0.5, "distance": 8.0}, default_rng(0))
    np.testing.assert_allclose(after.image, image, atol=1e-6)
