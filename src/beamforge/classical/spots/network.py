"""A detector of white spots that asks a trained network."""

from __future__ import annotations

import numpy as np

from beamforge.arrays import Float32
from beamforge.classical.spots.detectors import Mask
from beamforge.errors import InputError
from beamforge.predictor import Predictor
from beamforge.stack import Channel
from beamforge.statistics.local_noise import REACH, NoiseModel, compressed, local_contrast

LOCAL_CONTRAST = "local contrast"
SPOT = "spot"


class NetworkSpots:
    """Marks pixels that a network holds to be spots.

    Parameters
    ----------
    predictor
        A predictor of one channel, ``local contrast``, with a class ``spot``, such as a network trained on
        `beamforge.simulation.scenarios.spots.spot_scenario`.
    probability
        A pixel is marked from this probability on. The probability above which marking raises the expected F1 is half
        of the F1 reached, so less than one half.

    Raises
    ------
    InputError
        If the predictor takes or gives something else.
    """

    def __init__(self, predictor: Predictor, probability: float = 0.3) -> None:
        if not 0.0 < probability < 1.0:
            raise InputError(f"the probability is {probability:g}, expected a number between 0 and 1")
        if predictor.channels != (Channel(mode=LOCAL_CONTRAST),) or SPOT not in predictor.classes.names:
            raise InputError(
                f"the model takes {[c.label for c in predictor.channels]} and knows the classes "
                f"{list(predictor.classes.names)}; spots are found by a model that takes [{LOCAL_CONTRAST!r}] "
                f"and knows the class {SPOT!r}, see docs/spots.md"
            )
        self.predictor = predictor
        self.probability = probability

    @property
    def halo(self) -> int:
        """Context in px."""
        return REACH + self.predictor.halo

    def probabilities(self, image: Float32, noise: NoiseModel) -> Float32:
        """Give the probability of each pixel to be a spot, float32 (y, x)."""
        contrast = compressed(local_contrast(image, noise))
        logs = self.predictor.log_probabilities(contrast[None, None])[0]
        probabilities: Float32 = np.exp(logs[self.predictor.classes.names.index(SPOT)])
        return probabilities

    def detect(self, image: Float32, noise: NoiseModel) -> Mask:
        """Mark the spots."""
        mask: Mask = self.probabilities(image, noise) >= self.probability
        return mask & np.isfinite(image)
