"""Scratches of grinding and polishing."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Scratches(Degradation, name="scratches"):
    """Draws straight lines, brighter or darker than what they cross, in bundles of one direction.

    Attributes
    ----------
    bundles
        How many bundles there are.
    lines
        Lines of a bundle.
    length
        In px; they fade towards their ends.
    width
        Standard deviation of their profile in px.
    contrast
        Their brightness in the image's units; the sign of each bundle is random.
    spread
        Standard deviation in px of where the lines of a bundle lie, across it.
    """

    bundles: IntegerInterval = IntegerInterval(low=0, high=3)
    lines: IntegerInterval = IntegerInterval(low=1, high=8)
    length: LogInterval = LogInterval(low=20.0, high=300.0)
    width: LogInterval = LogInterval(low=0.4, high=1.2)
    contrast: Interval = Interval(low=5.0, high=40.0)
    spread: LogInterval = LogInterval(low=3.0, high=25.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the bundles."""
        shape = sample.image.shape[1:]
        drawn = np.zeros(shape, np.float32)
        for _ in range(int(parameters["bundles"])):
            angle, sign = rng.uniform(0.0, math.pi), rng.choice([-1.0, 1.0])
            y, x = rng.uniform(0.0, 1.0, 2) * shape
            for _ in range(int(parameters["lines"])):
                aside, ahead = parameters["spread"] * rng.standard_normal(2) * (1.0, 2.0)
                middle = (
                    y + aside * math.cos(angle) + ahead * math.sin(angle),
                    x - aside * math.sin(angle) + ahead * math.cos(angle),
                )
                height = sign * parameters["contrast"] * rng.uniform(0.3, 1.0)
                _add_line(drawn, middle, angle, parameters["length"], parameters["width"], height)
        return sample.replace(image=sample.image + drawn)


def _add_line(
    drawn: Float32, middle: tuple[float, float], angle: float, length: float, width: float, height: float
) -> None:
    """Add a line of Gaussian profile around `middle` (y, x); `angle` is from the x axis towards y."""
    reach = length / 2.0 + 4.0 * width
    down, right = abs(math.sin(angle)) * reach + 4.0 * width, abs(math.cos(angle)) * reach + 4.0 * width
    top, left = max(math.floor(middle[0] - down), 0), max(math.floor(middle[1] - right), 0)
    here = drawn[top : max(math.ceil(middle[0] + down), top), left : max(math.ceil(middle[1] + right), left)]
    y = (top + np.arange(here.shape[0]) - middle[0])[:, None]
    x = left + np.arange(here.shape[1]) - middle[1]
    along, across = y * math.sin(angle) + x * math.cos(angle), y * math.cos(angle) - x * math.sin(angle)
    fading = np.clip(1.0 - (2.0 * along / length) ** 2, 0.0, None)
    here += (height * fading * np.exp(-0.5 * (across / width) ** 2)).astype(np.float32)
