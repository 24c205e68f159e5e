"""A raw radiograph of a shapeless sample: clouds, grain and an edge, counted by a neutron camera."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import Field

from beamforge.arrays import Float32
from beamforge.physics.detector import point_spread, poisson_counts
from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity

NOISE = "noise"
"""Name of the extra array that holds the standard deviation of the noise."""


class Radiograph(Intensity, name="radiograph"):
    """Fills the tile with what a camera counts behind a sample that has no labels, in DN above the dark offset.

    Attributes
    ----------
    level
        Signal of the open beam in DN.
    clouds, cloud_length
        Standard deviation of the optical density that varies slowly, and its correlation length in px.
    grain, grain_length
        The same for the sample's fine texture.
    edge
        Optical density behind a sharp curved edge.
    gain
        DN that a detected neutron makes.
    psf
        Standard deviation in px of the light spread.
    read_noise
        Standard deviation of the read-out in DN.
    """

    level: LogInterval = LogInterval(low=600.0, high=4000.0)
    clouds: Interval = Interval(low=0.0, high=0.5)
    cloud_length: LogInterval = LogInterval(low=10.0, high=60.0)
    grain: Interval = Interval(low=0.0, high=0.06)
    grain_length: LogInterval = LogInterval(low=1.5, high=6.0)
    edge: Interval = Interval(low=0.0, high=1.0)
    gain: LogInterval = LogInterval(low=2.0, high=20.0)
    psf: Interval = Field(default=Interval(low=0.4, high=1.0))
    read_noise: LogInterval = LogInterval(low=3.0, high=15.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the sample's density and count; the noise's deviation goes into the extras."""
        size = (sample.labels.shape[0], sample.labels.shape[1])
        signal = np.float32(parameters["level"]) * np.exp(-self._density(size, parameters, rng))
        gain = np.float32(parameters["gain"])
        light = point_spread(poisson_counts(signal / gain, rng), parameters["psf"]) * gain
        read = np.float32(parameters["read_noise"])
        image = light + read * rng.standard_normal(size, dtype=np.float32)
        noise = np.sqrt(gain * signal * np.float32(_noise_left(parameters["psf"])) + read**2)
        return sample.replace(image=image[None], extras={**sample.extras, NOISE: noise})

    def _density(self, size: tuple[int, int], parameters: Parameters, rng: Generator) -> Float32:
        clouds = smooth_field(1, size, parameters["cloud_length"], rng)[0]
        grain = smooth_field(1, size, parameters["grain_length"], rng)[0]
        border = smooth_field(1, size, 60.0, rng)[0]
        behind = point_spread((border > 0).astype(np.float32), 0.7)
        density = (
            np.float32(parameters["clouds"]) * np.abs(clouds)
            + np.float32(parameters["grain"]) * grain
            + np.float32(parameters["edge"]) * behind
        )
        return np.asarray(density, np.float32)


def _noise_left(psf: float) -> float:
    """Give the share of white noise's variance that the light spread leaves: the sum of its squares."""
    point = np.zeros((17, 17), np.float32)
    point[8, 8] = 1.0
    return float(np.square(point_spread(point, psf)).sum())
