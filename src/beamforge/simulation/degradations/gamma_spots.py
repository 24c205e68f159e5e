"""White spots in transmission images."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import PositiveFloat

from beamforge.arrays import Float32
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class GammaSpotsStep(Degradation, name="gamma_spots"):
    """Adds gammas and fast neutrons that hit the camera's chip.

    Attributes
    ----------
    seconds
        Exposure time of a frame in s.
    level
        What the image value 1 is in DN, e.g. the open beam of a transmission image at that exposure time, divided by
        the time: DN/s.
    same_frame
        Whether all channels were made from one frame of the sample, so that they share its spots.
    references
        Whether each channel was divided by a reference frame with spots of its own, which make dark spots.
    spots
        How often, how bright and how large they are.
    """

    seconds: LogInterval = LogInterval(low=5.0, high=120.0)
    level: PositiveFloat
    same_frame: bool = False
    references: bool = False
    spots: GammaSpots = GammaSpots()

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Add the spots of the sample's frames and divide by those of the references."""
        channels, *size = sample.image.shape
        one = np.float32(self.level * parameters["seconds"])
        frames = 1 if self.same_frame else channels
        image = sample.image + self._frames(frames, size, parameters["seconds"], rng) / one
        if self.references:
            image = image / (1.0 + self._frames(channels, size, parameters["seconds"], rng) / one)
        return sample.replace(image=image)

    def _frames(self, count: int, size: list[int], seconds: float, rng: Generator) -> Float32:
        frames = np.zeros((count, *size), np.float32)
        for frame in frames:
            self.spots.add_to(frame, seconds, rng)
        return frames
