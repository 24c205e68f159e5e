import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.scenes.soil_cracks import SoilCracks
from contracts.roots_for_tests import root_sample
from contracts.step import StepContract


class TestSoilCracksContract(StepContract):
    examples = [SoilCracks(), SoilCracks(cracks=3, opening=2.0)]

    def sample(self) -> Sample:
        return root_sample()

    def test_labels_stay(self) -> None:
        for example in self.examples:
            np.testing.assert_array_equal(self.run(example).labels, self.sample().labels)


def share_left(seed: int, **settings) -> np.ndarray:
    sample = root_sample((120, 120))
    step = SoilCracks(**settings)
    after = step.apply(sample, step.draw(sample, default_rng(seed)), default_rng(seed))
    before = sample.extras["soil_path"]
    np.testing.assert_array_equal(after.extras["root_path"], sample.extras["root_path"])
    return after.extras["soil_path"][before > 0] / before[before > 0]


def test_soil_is_taken_away_as_deep_as_asked_and_never_added() -> None:
    for seed in range(8):
        left = share_left(seed, cracks=4, through=0.6, opening=3.0)
        assert left.max() <= 1.0
        assert left.min() >= 0.4 - 1e-6
    assert min(share_left(seed, cracks=4, through=0.6, opening=3.0).min() for seed in range(8)) < 0.41


def test_wider_and_more_cracks_open_more() -> None:
    def opened(**settings) -> float:
        return float(np.mean([1 - share_left(seed, through=1.0, **settings).mean() for seed in range(20)]))

    assert opened(cracks=0) == 0.0
    assert opened(cracks=1, opening=1.0) < opened(cracks=4, opening=1.0) < opened(cracks=4, opening=4.0)
