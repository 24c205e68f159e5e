import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.scenes.blank import Blank
from contracts.step import StepContract


class TestBlankContract(StepContract):
    examples = [Blank(tile=40)]

    def sample(self) -> Sample:
        return Sample.empty()


def test_every_pixel_is_of_the_first_class() -> None:
    after = Blank(tile=24).apply(Sample.empty(), {}, default_rng(0))
    np.testing.assert_array_equal(after.labels, np.zeros((24, 24), np.uint8))
