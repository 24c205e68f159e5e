"""Unsharpness beyond that of the measurement the simulation was learnt from."""

from __future__ import annotations

from numpy.random import Generator

from beamforge.physics.detector import point_spread
from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Blur(Degradation, name="blur"):
    """Spreads the image as a Gaussian, structure and noise alike, as light in a thicker scintillator.

    Attributes
    ----------
    sigma
        Standard deviation of the spread in px.
    """

    sigma: Interval = Interval(low=0.0, high=0.7)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Filter each channel; the border counts as going on."""
        return sample.replace(image=point_spread(sample.image, parameters["sigma"]))
