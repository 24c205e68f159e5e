import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.scratches import Scratches, _add_line
from contracts.step import StepContract


class TestScratchesContract(StepContract):
    examples = [Scratches(), Scratches(bundles=2, length=10.0)]


def test_a_line_has_its_width_length_and_height():
    drawn = np.zeros((120, 120), np.float32)
    _add_line(drawn, (60.0, 60.0), 0.0, length=60.0, width=1.5, height=10.0)
    assert drawn[60, 60] == pytest.approx(10.0)
    across = drawn[:, 60].astype(np.float64)
    rows = np.arange(120) - 60
    assert np.sqrt((across * rows**2).sum() / across.sum()) == pytest.approx(1.5, rel=0.01)
    assert np.flatnonzero(drawn[60] > 0).tolist() == list(range(31, 90))


@pytest.mark.parametrize("angle", [0.4, 1.2, 2.5])
def test_a_line_runs_along_its_angle(angle):
    drawn = np.zeros((140, 140), np.float32)
    _add_line(drawn, (70.0, 70.0), angle, length=80.0, width=1.0, height=1.0)
    y, x = np.nonzero(drawn > 0.3)
    values, vectors = np.linalg.eigh(np.cov(y, x))
    direction = vectors[:, 1]
    assert abs(direction @ [np.sin(angle), np.cos(angle)]) == pytest.approx(1.0, abs=1e-3)
    assert values[0] < 0.02 * values[1]


def test_lines_that_miss_the_image_leave_it():
    drawn = np.zeros((30, 30), np.float32)
    for middle in ((-90.0, 10.0), (200.0, 200.0), (10.0, -80.0)):
        _add_line(drawn, middle, 0.0, length=20.0, width=1.0, height=1.0)
    assert not drawn.any()


def test_no_bundle_no_scratch():
    step = Scratches(bundles=0)
    before = Sample(default_rng(0).random((1, 30, 30), np.float32), np.zeros((30, 30), np.uint8))
    after = step.apply(before, step.draw(before, default_rng(1)), default_rng(1))
    np.testing.assert_array_equal(after.image, before.image)
