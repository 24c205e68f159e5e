import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.box_hardware import BoxHardware
from contracts.step import StepContract


class TestBoxHardwareContract(StepContract):
    examples = [BoxHardware(), BoxHardware(screws=3, bars=2)]


def through(**settings) -> np.ndarray:
    before = Sample(image=np.ones((2, 200, 200), np.float32), labels=np.zeros((200, 200), np.uint8))
    step = BoxHardware(**settings)
    after = step.apply(before, step.draw(before, default_rng(5)), default_rng(6)).image
    np.testing.assert_array_equal(after[0], after[1])
    return after[0]


def test_a_screw_is_round_and_as_dark_as_asked() -> None:
    image = through(screws=1, bars=0, screw_radius=20.0, transmission=0.3)
    assert set(np.unique(image)) >= {np.float32(0.3), np.float32(1.0)}
    rows, columns = np.nonzero(image < 1.0)
    assert np.ptp(rows) <= 40
    assert np.ptp(columns) <= 40


def test_a_bar_is_straight_and_as_wide_as_asked() -> None:
    image = through(screws=0, bars=1, bar_width=12.0, transmission=0.5)
    assert set(np.unique(image)) == {np.float32(0.5), np.float32(1.0)}
    dark = image < 1.0
    across = min(dark.sum(axis=0).max(), dark.sum(axis=1).max())
    assert 11 <= across <= 14


def test_nothing_stands_where_nothing_is_asked_for() -> None:
    assert (through(screws=0, bars=0) == 1.0).all()
