import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.arrays import Float32
from beamforge.classical.spots import NetworkSpots, find_spots
from beamforge.errors import InputError
from beamforge.simulation.scenarios.spots import CHANNEL, CLASSES, spot_scenario
from beamforge.stack import Channel, Classes


class Bright:
    """A predictor that holds a pixel for a spot the more, the higher its contrast."""

    def __init__(self, channel: Channel = CHANNEL, classes: Classes = CLASSES) -> None:
        self.channels, self.classes, self.halo, self.multiple = (channel,), classes, 0, 1

    def log_probabilities(self, images: Float32) -> Float32:
        odds = 4.0 * (images[:, 0] - 1.5)
        return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], axis=1).astype(np.float32)


def spotted() -> np.ndarray:
    image = default_rng(0).normal(500.0, 20.0, (64, 64)).astype(np.float32)
    image[20, 20:22] += 1000.0
    image[40, 10] = np.nan
    return image


def test_a_higher_probability_marks_less() -> None:
    low, high = (find_spots(spotted(), NetworkSpots(Bright(), probability)) for probability in (0.02, 0.9))
    assert low.sum() > high.sum() == 2
    assert high[20, 20:22].all()
    assert not low[40, 10]


def test_the_input_is_that_of_the_training_tiles() -> None:
    scenario = spot_scenario(64)
    sample = scenario(3, 0)
    raw = scenario.model_copy(update={"steps": scenario.steps[:-1]})(3, 0)
    np.testing.assert_array_equal(raw.labels, sample.labels)
    seen = []

    class Looking(Bright):
        def log_probabilities(self, images: Float32) -> Float32:
            seen.append(images)
            return super().log_probabilities(images)

    find_spots(raw.image[0], NetworkSpots(Looking()))
    np.testing.assert_array_equal(seen[0][0], sample.image)


@pytest.mark.parametrize(
    "predictor", [Bright(channel=Channel(mode="H0")), Bright(classes=Classes(names=("air", "water")))]
)
def test_a_model_of_something_else_is_refused(predictor: Bright) -> None:
    with pytest.raises(InputError, match="local contrast"):
        NetworkSpots(predictor)


def test_an_impossible_probability_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        NetworkSpots(Bright(), 1.0)
