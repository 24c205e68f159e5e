import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.stripes import Stripes
from contracts.step import StepContract


class TestStripesContract(StepContract):
    examples = [Stripes(), Stripes(along="rows"), Stripes(along="rings", spread=0.1)]


def even(rows: int, columns: int) -> Sample:
    return Sample(image=np.ones((2, rows, columns), np.float32), labels=np.zeros((rows, columns), np.uint8))


@pytest.mark.parametrize(("along", "axis"), [("columns", 0), ("rows", 1)])
def test_stripes_run_along_their_axis(along: str, axis: int) -> None:
    image = Stripes(along=along).apply(even(2000, 1500), {"spread": 0.05}, default_rng(1)).image
    assert np.ptp(image[0], axis=axis).max() == 0.0
    assert image.std() == pytest.approx(0.05, rel=0.06)
    np.testing.assert_array_equal(image[0], image[1])


def test_rings_lie_around_the_middle() -> None:
    image = Stripes(along="rings").apply(even(101, 101), {"spread": 0.1}, default_rng(1)).image[0]
    np.testing.assert_array_equal(image, np.rot90(image))
    assert image[50, 50 + 30] == image[50 + 18, 50 + 24]
