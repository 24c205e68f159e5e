"""The end of the specimen in view."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field
from scipy.special import expit

from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.stack import IGNORE


class SpecimenEdge(Degradation, name="specimen_edge"):
    """Lets some tiles end in a dark background at one side; what lies there is of class 0.

    Attributes
    ----------
    probability
        Probability that a tile shows an edge.
    inside
        How far from the tile's side the edge runs, as a fraction of the tile.
    tilt
        Angle in degrees between them.
    background
        Grey values behind the edge relative to those the specimen would have there.
    softness
        Width in px over which the specimen fades.
    rim
        Change of the grey value, relative, along the edge: a chamfer that is brighter or darker.
    rim_width
        Standard deviation in px of the rim's profile.
    """

    changes_labels: ClassVar[bool] = True

    probability: float = Field(default=0.25, ge=0.0, le=1.0)
    inside: Interval = Interval(low=0.0, high=0.15)
    tilt: Interval = Interval(low=-4.0, high=4.0)
    background: LogInterval = LogInterval(low=0.05, high=0.5)
    softness: LogInterval = LogInterval(low=0.4, high=3.0)
    rim: Interval = Interval(low=-0.35, high=0.35)
    rim_width: LogInterval = LogInterval(low=1.5, high=6.0)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the edge, whether it is seen, and its side: 0 top, 1 left, 2 bottom, 3 right."""
        seen = bool(rng.random() < self.probability)
        return {**super().draw(sample, rng), "seen": seen, "side": int(rng.integers(4))}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Fade the image beyond the edge."""
        if not parameters["seen"]:
            return sample
        turns = int(parameters["side"])
        image = np.rot90(sample.image, -turns, axes=(1, 2))
        labels = np.rot90(sample.labels, -turns)
        rows, columns = labels.shape
        y, x = np.mgrid[:rows, :columns]
        slope = math.tan(math.radians(parameters["tilt"]))
        within = y - parameters["inside"] * rows - slope * (x - 0.5 * columns)
        share = expit(np.clip(within / parameters["softness"], -30.0, 30.0))
        rim = 1.0 + parameters["rim"] * np.exp(-0.5 * (within / parameters["rim_width"]) ** 2)
        faded = (image * (share * rim + (1.0 - share) * parameters["background"])).astype(np.float32)
        kept = np.where((within < 0) & (labels != IGNORE), np.uint8(0), labels).astype(labels.dtype)
        return sample.replace(
            image=np.ascontiguousarray(np.rot90(faded, turns, axes=(1, 2))),
            labels=np.ascontiguousarray(np.rot90(kept, turns)),
        )
