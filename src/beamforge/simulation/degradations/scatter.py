"""Neutrons that the sample scattered onto the detector."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.reduction.scatter import half_space_blur
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Scatter(Degradation, name="scatter"):
    """Adds the field of scattered neutrons to transmission images that were not corrected for it.

    What a sample takes out of the beam, 1 - T, comes back spread over the distance to the detector (see
    `beamforge.reduction.scatter`). A negative fraction is what an exaggerated correction leaves.

    Attributes
    ----------
    fraction
        Part of the removed neutrons that reaches the detector; even scattering without absorption gives 1/2.
    distance
        Distance of the sample from the detector in px.
    """

    fraction: Interval = Interval(low=0.0, high=0.5)
    distance: LogInterval = LogInterval(low=50.0, high=300.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Add each channel's field; beyond the border the image counts as going on."""
        removed = np.clip(1.0 - sample.image, 0.0, 1.0)
        fields = [half_space_blur(channel, parameters["distance"]) for channel in removed]
        field = np.stack(fields).astype(np.float32)
        return sample.replace(image=sample.image + np.float32(parameters["fraction"]) * field)
