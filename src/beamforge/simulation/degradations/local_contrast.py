"""From grey values to how far each pixel differs from its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.statistics.local_noise import NoiseModel, compressed, local_contrast


class LocalContrast(Degradation, name="local_contrast"):
    """Replaces each channel by its local contrast in standard deviations of its noise, compressed.

    A detector that sees this input knows nothing of offset, gain and brightness, so that it serves any camera; see
    `beamforge.statistics.local_noise`.
    """

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Estimate the noise of each channel and divide by it."""
        channels = [compressed(local_contrast(channel, NoiseModel.fit([channel]))) for channel in sample.image]
        return sample.replace(image=np.stack(channels))
