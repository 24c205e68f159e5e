import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.simulation import Sample
from beamforge.simulation.degradations.camera_range import CameraRange
from contracts.step import StepContract


class TestCameraRangeContract(StepContract):
    examples = [CameraRange(), CameraRange(low=0.8, high=1.2)]


def test_values_stop_at_the_limits():
    image = np.array([[[-5.0, 0.0, 100.0, 255.0, 300.0]]], np.float32)
    before = Sample(image, np.zeros((1, 5), np.uint8))
    after = CameraRange().apply(before, {}, default_rng(0)).image
    assert after.ravel().tolist() == [0.0, 0.0, 100.0, 255.0, 255.0]


def test_limits_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="below"):
        CameraRange(low=5.0, high=5.0)
