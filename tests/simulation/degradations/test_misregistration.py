import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.misregistration import Misregistration
from contracts.step import StepContract


class TestMisregistrationContract(StepContract):
    examples = [Misregistration(), Misregistration(spread=[1.0, 4.0])]


def test_a_ramp_moves_by_the_shift_and_the_first_channel_stays() -> None:
    ramp = np.broadcast_to(np.arange(60, dtype=np.float32), (3, 50, 60)).copy()
    before = Sample(image=ramp, labels=np.zeros((50, 60), np.uint8))
    after = Misregistration().apply(before, {"spread": 0.8}, default_rng(4)).image
    np.testing.assert_array_equal(after[0], ramp[0])
    shifts = 0.8 * default_rng(4).standard_normal((3, 2))[:, 1]
    for channel in (1, 2):
        np.testing.assert_allclose(after[channel, 20, 10:50], ramp[0, 20, 10:50] - shifts[channel], atol=1e-4)
