"""Small dark pits that etching leaves."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class EtchPits(Degradation, name="etch_pits"):
    """Darkens round spots, in all channels alike.

    Attributes
    ----------
    density
        Pits per 10,000 px.
    radius
        Mean radius in px; radii of single pits spread by a factor of about 1.5.
    depth
        Share of the brightness that is lost in the middle of a pit; below 0 spots are bright, as inclusions are.
    """

    density: LogInterval = LogInterval(low=0.3, high=20.0)
    radius: LogInterval = LogInterval(low=0.7, high=2.5)
    depth: Interval = Interval(low=0.1, high=0.7)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the pits and darken."""
        rows, columns = sample.image.shape[1:]
        count = rng.poisson(parameters["density"] * rows * columns / 1e4)
        dark = np.zeros((rows, columns), np.float32)
        for y, x, size, depth in zip(
            rng.uniform(0.0, rows, count),
            rng.uniform(0.0, columns, count),
            parameters["radius"] * rng.lognormal(0.0, 0.4, count),
            parameters["depth"] * rng.uniform(0.3, 1.0, count),
            strict=True,
        ):
            _add_spot(dark, y, x, size, depth)
        return sample.replace(image=sample.image * (1.0 - np.minimum(dark, 1.0)))


def _add_spot(dark: Float32, y: float, x: float, radius: float, depth: float) -> None:
    """Add a Gaussian spot of twice the radius across where it has half its depth."""
    reach = int(3.0 * radius) + 1
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    here = dark[top : int(y) + reach + 1, left : int(x) + reach + 1]
    down = (top + np.arange(here.shape[0]) - y)[:, None]
    right = left + np.arange(here.shape[1]) - x
    here += (depth * np.exp2(-(down**2 + right**2) / radius**2)).astype(np.float32)
