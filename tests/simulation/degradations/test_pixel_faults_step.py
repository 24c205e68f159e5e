import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.pixel_faults import PixelFaultsStep
from contracts.step import StepContract


class TestPixelFaultsContract(StepContract):
    examples = [PixelFaultsStep(), PixelFaultsStep(hot=0.05, stuck=0.05, stuck_value=1.0)]


def test_as_many_pixels_are_faulty_as_asked_for_in_all_channels() -> None:
    before = Sample(image=np.full((2, 400, 400), 0.5, np.float32), labels=np.zeros((400, 400), np.uint8))
    step = PixelFaultsStep(stuck_value=-1.0, brightness=0.2)
    after = step.apply(before, {"hot": 0.02, "stuck": 0.01}, default_rng(2)).image
    np.testing.assert_array_equal(after[0], after[1])
    assert (after[0] == -1.0).mean() == pytest.approx(0.01, rel=0.15)
    hot = after[0][after[0] > 0.5] - 0.5
    assert hot.size / after[0].size == pytest.approx(0.02, rel=0.1)
    assert np.median(hot) == pytest.approx(0.2, rel=0.1)
