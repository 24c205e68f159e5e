import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.physics.gamma_spots import GammaSpots
from beamforge.simulation import Sample
from beamforge.simulation.degradations.gamma_spots import GammaSpotsStep
from contracts.step import StepContract


class TestGammaSpotsContract(StepContract):
    examples = [
        GammaSpotsStep(level=200.0, seconds=[500.0, 5000.0]),
        GammaSpotsStep(level=200.0, same_frame=True, references=True, spots=GammaSpots(rate=5000.0)),
    ]


def flat(channels: int, side: int = 400) -> Sample:
    return Sample(image=np.ones((channels, side, side), np.float32), labels=np.zeros((side, side), np.uint8))


def test_spots_of_the_sample_are_bright_and_those_of_references_dark() -> None:
    spots = GammaSpots(rate=400.0, size_99=1.0)
    step = GammaSpotsStep(level=200.0, spots=spots)
    change = step.apply(flat(1), {"seconds": 20.0}, default_rng(1)).image - 1.0
    hits = change[change != 0]
    assert (hits > 0).all()
    expected = 400.0 * 20.0 * 0.16
    assert abs(len(hits) - expected) < 5 * np.sqrt(expected)
    # The level is per second: 600 DN at 20 s of 200 DN/s is 0.15.
    assert np.median(hits) == pytest.approx(0.15, rel=0.15)
    both = GammaSpotsStep(level=200.0, spots=spots, references=True)
    change = both.apply(flat(1), {"seconds": 20.0}, default_rng(1)).image - 1.0
    dark = change[change < 0]
    assert len(dark) == pytest.approx(expected, rel=0.2)
    assert np.median(1 / (1 + dark) - 1) == pytest.approx(0.15, rel=0.15)


def test_channels_of_one_frame_share_its_spots() -> None:
    drawn = {"seconds": 20.0}
    shared = GammaSpotsStep(level=200.0, same_frame=True).apply(flat(2), drawn, default_rng(2)).image
    np.testing.assert_array_equal(shared[0], shared[1])
    own = GammaSpotsStep(level=200.0).apply(flat(2), drawn, default_rng(2)).image
    assert (own[0] != own[1]).sum() > 1000
