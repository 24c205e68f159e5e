"""Long straight tracks of charged particles that cross the chip at a grazing angle."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import PositiveFloat

from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class LineTracks(Degradation, name="line_tracks"):
    """Adds thin bright lines, others in every channel.

    Measured on radiographs of 20 and 60 s with a camera of 44 µm pixels: up to 0.2 tracks of 9 px and more per
    megapixel and second, of 250 to 1500 DN where an open beam of 20 s has 4350 DN; tracks above 11 px were not seen
    there and are rare.

    Attributes
    ----------
    seconds
        Exposure time of a frame in s.
    rate
        Tracks per megapixel and second.
    length
        In px.
    brightness
        Mean of what is added along a track in DN; it varies along the track by a fifth.
    level
        What the image value 1 is in DN per s of exposure, as of the step ``gamma_spots``.
    """

    seconds: LogInterval = LogInterval(low=5.0, high=120.0)
    rate: LogInterval = LogInterval(low=0.01, high=0.2)
    length: LogInterval = LogInterval(low=9.0, high=40.0)
    brightness: LogInterval = LogInterval(low=250.0, high=1500.0)
    level: PositiveFloat = 220.0

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the tracks and add them."""
        image = sample.image.copy()
        for frame in image:
            count = rng.poisson(parameters["rate"] * parameters["seconds"] * frame.size * 1e-6)
            for _ in range(int(count)):
                rows, columns, share = _track(frame.shape, parameters["length"], rng)
                energy = parameters["brightness"] * share * rng.normal(1.0, 0.2, len(share)).clip(0.0)
                added = energy / (self.level * parameters["seconds"])
                np.add.at(frame, (rows, columns), added.astype(np.float32))
        return sample.replace(image=image)


def _track(
    shape: tuple[int, ...], length: float, rng: Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Draw a line through a random pixel; give the pixels that it crosses and its share of each.

    A step of one pixel along the larger component is shared between the two nearest pixels across it.
    """
    middle, angle = rng.uniform(0.0, 1.0, 2) * shape, rng.uniform(0.0, math.pi)
    direction = np.array([math.sin(angle), math.cos(angle)])
    steps = np.arange(round(length)) - (round(length) - 1) / 2.0
    along = int(np.argmax(np.abs(direction)))
    points = middle + steps[:, None] * direction / np.abs(direction).max()
    first = np.floor(points).astype(np.int64)
    across = points[:, 1 - along] - first[:, 1 - along]
    second = first.copy()
    second[:, 1 - along] += 1
    places = np.concatenate([first, second])
    share = np.concatenate([1.0 - across, across])
    inside = ((places >= 0) & (places < shape)).all(axis=1)
    return places[inside, 0], places[inside, 1], share[inside]
