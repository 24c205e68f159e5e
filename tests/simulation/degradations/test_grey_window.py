import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.grey_window import GreyWindow
from contracts.step import StepContract


class TestGreyWindowContract(StepContract):
    examples = [GreyWindow(), GreyWindow(black=0.5, white=0.6, gamma=2.0)]


def test_window_gamma_and_rounding_by_hand() -> None:
    values = np.array([[[-1.0, 0.2, 0.4, 0.6, 1.0, 3.0]]], np.float32)
    before = Sample(image=values, labels=np.zeros((1, 6), np.uint8))
    step = GreyWindow(black=0.2, white=1.0, gamma=2.0)
    after = step.apply(before, step.draw(before, default_rng(1)), default_rng(1)).image[0, 0]
    # 255 (¼)² = 15.9, 255 (½)² = 63.75.
    assert after.tolist() == [0.0, 0.0, 16.0, 64.0, 255.0, 255.0]
