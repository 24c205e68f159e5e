"""White spots, and the mask that a person would mark them with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat

from beamforge.errors import InputError
from beamforge.physics.gamma_spots import GammaSpots, Tracks
from beamforge.simulation.intensities.radiograph import NOISE
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class MarkedSpots(Degradation, name="marked_spots"):
    """Adds gammas and fast neutrons in DN and marks them as the class 1, as an annotator does.

    A hand does not mark single pixels exactly: spots are marked where they can be seen, often with a neighbouring
    pixel too, and the mark may lie a pixel beside the spot. Set `slip` and `widen` to 0 for exact masks.

    Attributes
    ----------
    seconds
        Exposure time of the frame in s, with which the number of spots grows.
    brightness
        Factor on all amplitudes.
    visible
        A spot's pixel is seen if it is this many standard deviations of the noise above its surroundings.
    slip
        Probability that the mark of a spot lies one pixel (of the eight around) beside it.
    widen
        Probability that the mark of a spot takes in one pixel more on one side (of the four).
    spots
        How often, how bright and how large they are.
    """

    changes_labels: ClassVar[bool] = True

    seconds: LogInterval = LogInterval(low=1.0, high=20.0)
    brightness: LogInterval = LogInterval(low=0.4, high=1.6)
    visible: NonNegativeFloat = 2.5
    slip: Interval = Field(default=Interval(low=0.0, high=0.0))
    widen: Interval = Field(default=Interval(low=0.0, high=0.0))
    spots: GammaSpots = GammaSpots()

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Add the spots to the only channel and mark them."""
        if len(sample.image) != 1 or NOISE not in sample.extras:
            raise InputError(
                f"the step 'marked_spots' marks spots in one raw channel of known noise, it met {len(sample.image)} "
                "channels; put it after the step 'radiograph'"
            )
        tracks = self.spots.draw((sample.image.shape[1], sample.image.shape[2]), parameters["seconds"], rng)
        added = tracks.amplitudes * np.float32(parameters["brightness"])
        image = sample.image.copy()
        np.add.at(image[0], (tracks.rows, tracks.columns), added)
        seen = added > self.visible * sample.extras[NOISE][tracks.rows, tracks.columns]
        labels = sample.labels.copy()
        for rows, columns in _marks(tracks, seen, parameters["slip"], parameters["widen"], rng):
            inside = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
            labels[rows[inside], columns[inside]] = 1
        return sample.replace(image=image, labels=labels)


def _marks(
    tracks: Tracks, seen: NDArray[np.bool_], slip: float, widen: float, rng: Generator
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the pixels marked and those marked besides: places (pixel,) that may lie outside the image."""
    slips = rng.random(tracks.count) < slip
    away = rng.integers(-1, 2, (tracks.count, 2)) * slips[:, None]
    widens = rng.random(tracks.count) < widen
    side = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])[rng.integers(0, 4, tracks.count)]
    spot = tracks.spot[seen]
    rows, columns = tracks.rows[seen] + away[spot, 0], tracks.columns[seen] + away[spot, 1]
    more = widens[spot]
    beside = (rows[more] + side[spot[more], 0], columns[more] + side[spot[more], 1])
    return [(rows, columns), beside]
