import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import center_of_mass

from beamforge.simulation import Sample
from beamforge.simulation.degradations.stretch import Stretch
from contracts.moving import MovingContract


class TestStretch(MovingContract):
    examples = [Stretch(), Stretch(along_y=(0.6, 0.7), along_x=1.5)]


@pytest.mark.parametrize(("along_y", "along_x"), [(1.5, 1.0), (0.7, 1.3)])
def test_a_blob_grows_by_the_factors_about_the_middle(along_y: float, along_x: float) -> None:
    y, x = np.mgrid[:81, :81] - 40.0
    blob = np.exp(-((y - 6) ** 2 + (x + 9) ** 2) / (2 * 4.0**2))
    sample = Sample(blob[None].astype(np.float32), np.zeros((81, 81), np.uint8))
    after = Stretch().apply(sample, {"along_y": along_y, "along_x": along_x}, default_rng(0)).image[0].astype(float)
    assert center_of_mass(after) == pytest.approx((40 + 6 * along_y, 40 - 9 * along_x), abs=0.05)
    assert after.sum() / blob.sum() == pytest.approx(along_y * along_x, rel=0.01)
