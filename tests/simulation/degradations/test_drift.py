import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.drift import Drift, smooth_field
from contracts.step import StepContract


class TestDriftContract(StepContract):
    examples = [Drift(), Drift(additive=[0.0, 0.1], multiplicative=0.0, length=[3.0, 30.0], shared=0.5)]


@pytest.mark.parametrize("length", [2.0, 5.0, 11.0])
def test_variance_and_correlation_of_the_field(length: float) -> None:
    fields = smooth_field(120, (96, 96), length, default_rng(1)).astype(np.float64)
    assert fields.dtype == np.float64
    assert np.mean(fields**2) == pytest.approx(1.0, abs=0.06)
    for lag in (int(length), int(2 * length), int(4 * length)):
        expected = np.exp(-(lag**2) / (4 * length**2))
        for shifted, kept in ((fields[:, lag:], fields[:, :-lag]), (fields[:, :, lag:], fields[:, :, :-lag])):
            assert np.mean(shifted * kept) == pytest.approx(expected, abs=0.05)


def test_the_variance_is_the_same_everywhere() -> None:
    fields = smooth_field(3000, (24, 24), 8.0, default_rng(2))
    deviation = fields.std(axis=0)
    assert deviation.min() > 0.92
    assert deviation.max() < 1.08


@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_channels_share_as_much_as_asked(shared: float) -> None:
    before = Sample(image=np.ones((2, 400, 400), np.float32), labels=np.zeros((400, 400), np.uint8))
    step = Drift(additive=0.1, multiplicative=0.0, length=2.0, shared=shared)
    drawn = {"additive": 0.1, "multiplicative": 0.0, "length": 2.0}
    after = step.apply(before, drawn, default_rng(3))
    first, second = (after.image - 1.0).reshape(2, -1)
    assert first.std() == pytest.approx(0.1, rel=0.05)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(shared, abs=0.04)


def test_the_relative_field_follows_the_image() -> None:
    levels = np.ones((1, 200, 200), np.float32)
    levels[:, 100:] = 10.0
    before = Sample(image=levels, labels=np.zeros((200, 200), np.uint8))
    step = Drift(multiplicative=0.05, length=2.0)
    after = step.apply(before, {"additive": 0.0, "multiplicative": 0.05, "length": 2.0}, default_rng(4))
    relative = after.image / levels - 1.0
    assert relative[:, :100].std() == pytest.approx(0.05, rel=0.1)
    assert relative[:, 100:].std() == pytest.approx(0.05, rel=0.1)
