"""Screws, clamps and stands of a sample box."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class BoxHardware(Degradation, name="box_hardware"):
    """Puts things into the beam that are no sample: screws (discs with a rim), clamps (bars), cables (thin lines).

    They multiply the transmission; where they stand nothing of interest can be seen, which a network has to bear.

    Attributes
    ----------
    screws, screw_radius
        Number of discs and their radius in px.
    bars, bar_width
        Number of straight bars, which may cross the tile, and their width in px.
    transmission
        Of the thickest part.
    """

    screws: IntegerInterval = IntegerInterval(low=0, high=1)
    screw_radius: LogInterval = LogInterval(low=3.0, high=40.0)
    bars: IntegerInterval = IntegerInterval(low=0, high=1)
    bar_width: LogInterval = LogInterval(low=2.0, high=60.0)
    transmission: Interval = Interval(low=0.02, high=0.9)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw places and multiply."""
        shape = (sample.labels.shape[0], sample.labels.shape[1])
        through = np.ones(shape, np.float32)
        for _ in range(int(parameters["screws"])):
            through *= _screw(shape, parameters["screw_radius"], parameters["transmission"], rng)
        for _ in range(int(parameters["bars"])):
            through *= _bar(shape, parameters["bar_width"], parameters["transmission"], rng)
        return sample.replace(image=sample.image * through)


def _screw(shape: tuple[int, int], radius: float, transmission: float, rng: Generator) -> Float32:
    row, column = rng.uniform(0.0, shape[0]), rng.uniform(0.0, shape[1])
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - row, columns - column) / (radius * rng.uniform(0.6, 1.0))
    rim = rng.uniform(0.4, 1.0)
    in_rim = transmission + (1.0 - transmission) * rng.uniform(0.0, 0.7)
    through: Float32 = np.where(distance < rim, transmission, np.where(distance < 1.0, in_rim, 1.0)).astype(np.float32)
    return through


def _bar(shape: tuple[int, int], width: float, transmission: float, rng: Generator) -> Float32:
    """A straight bar: mostly upright or level, it ends in the tile or crosses it."""
    angle = rng.choice([0.0, 0.5 * math.pi]) + math.radians(3.0) * rng.standard_normal()
    row, column = rng.uniform(0.0, shape[0]), rng.uniform(0.0, shape[1])
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    along = (columns - column) * math.cos(angle) + (rows - row) * math.sin(angle)
    across = np.abs((rows - row) * math.cos(angle) - (columns - column) * math.sin(angle))
    length = rng.uniform(0.1, 1.5) * max(shape)
    inside = (across < 0.5 * width) & (np.abs(along) < 0.5 * length)
    through: Float32 = np.where(inside, transmission, 1.0).astype(np.float32)
    return through
