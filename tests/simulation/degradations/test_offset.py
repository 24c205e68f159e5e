import numpy as np
from numpy.random import default_rng

from beamforge.simulation.degradations.offset import Offset
from contracts.step import StepContract, example_sample


class TestOffsetContract(StepContract):
    examples = [Offset(offset=0.1), Offset(offset=[-0.2, 0.2], spread=[0.0, 0.1])]


def test_one_shift_for_all_channels_and_more_between_them() -> None:
    before = example_sample(channels=2000, size=(8, 8))
    shifts = Offset(offset=0.3).apply(before, {"offset": 0.3, "spread": 0.0}, default_rng(1)).image - before.image
    np.testing.assert_allclose(shifts, 0.3, atol=1e-6)
    shifts = Offset(offset=0.3).apply(before, {"offset": 0.3, "spread": 0.2}, default_rng(1)).image - before.image
    shifts = shifts.reshape(2000, -1)
    assert np.ptp(shifts, axis=1).max() < 1e-5
    assert abs(shifts[:, 0].mean() - 0.3) < 3 * 0.2 / np.sqrt(2000)
    assert abs(shifts[:, 0].std() - 0.2) < 3 * 0.2 / np.sqrt(4000)
