import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation.degradations.flip import Flip
from contracts.moving import MovingContract
from contracts.step import example_sample


class TestFlip(MovingContract):
    examples = [Flip(), Flip(left_right=1.0, up_down=0.0)]


def test_mirrors_exactly_and_as_often_as_said() -> None:
    sample = example_sample()
    both = Flip().apply(sample, {"left_right": True, "up_down": True}, default_rng(0))
    np.testing.assert_array_equal(both.image, sample.image[:, ::-1, ::-1])
    left_right = Flip().apply(sample, {"left_right": True, "up_down": False}, default_rng(0))
    np.testing.assert_array_equal(left_right.labels, np.fliplr(sample.labels))
    drawn = [Flip(left_right=0.3, up_down=1.0).draw(sample, default_rng(seed)) for seed in range(2000)]
    # Binomial with p = 0.3: 4 standard deviations.
    assert sum(d["left_right"] for d in drawn) == pytest.approx(600, abs=4 * np.sqrt(420))
    assert all(d["up_down"] for d in drawn)
