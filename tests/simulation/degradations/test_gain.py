import numpy as np
from numpy.random import default_rng

from beamforge.simulation.degradations.gain import Gain
from contracts.step import StepContract, example_sample


class TestGainContract(StepContract):
    examples = [Gain(), Gain(gain=[0.5, 2.0], spread=[0.0, 0.1])]


def test_one_factor_for_all_channels() -> None:
    before = example_sample()
    after = Gain(gain=1.25).apply(before, {"gain": 1.25, "spread": 0.0}, default_rng(1))
    np.testing.assert_allclose(after.image, 1.25 * before.image, rtol=1e-6)


def test_channels_differ_by_the_spread() -> None:
    before = example_sample(channels=2000, size=(8, 8))
    after = Gain().apply(before, {"gain": 2.0, "spread": 0.05}, default_rng(2))
    logs = np.log(after.image / before.image).reshape(2000, -1)
    assert np.ptp(logs, axis=1).max() < 1e-5
    assert abs(logs.mean() - np.log(2.0)) < 3 * 0.05 / np.sqrt(2000)
    assert abs(logs[:, 0].std() - 0.05) < 3 * 0.05 / np.sqrt(4000)
