import numpy as np
from numpy.random import default_rng

from beamforge.simulation.degradations.quarter_turns import QuarterTurns
from contracts.moving import MovingContract
from contracts.step import example_sample


class TestQuarterTurns(MovingContract):
    examples = [QuarterTurns()]

    def sample(self):
        return example_sample(size=(48, 48))


def test_turns_square_images_four_ways_and_others_two() -> None:
    sample = example_sample(size=(48, 48))
    for turns in range(4):
        turned = QuarterTurns().apply(sample, {"turns": turns}, default_rng(0))
        np.testing.assert_array_equal(turned.labels, np.rot90(sample.labels, turns))
        np.testing.assert_array_equal(turned.image[1], np.rot90(sample.image[1], turns))
    for size, expected in (((48, 48), {0, 1, 2, 3}), ((40, 48), {0, 2})):
        drawn = {QuarterTurns().draw(example_sample(size=size), default_rng(s))["turns"] for s in range(60)}
        assert drawn == expected
