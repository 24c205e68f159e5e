"""White spots, and the mask that a person would mark them with."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat
from scipy.ndimage import binary_dilation, convolve, maximum_filter

from beamforge.errors import InputError
from beamforge.physics.gamma_spots import GammaSpots, Tracks
from beamforge.simulation.intensities.radiograph import NOISE
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.statistics.local_noise import NoiseModel, local_contrast

_AROUND = np.ones((3, 3), np.bool_)
_NEAR = np.ones((5, 5), np.int64)
_FAINTEST = 2.0
"""Contrast in standard deviations below which a peak is noise."""
_LEAST = 20
"""Single-pixel spots below which no share can be told."""


class MarkedSpots(Degradation, name="marked_spots"):
    """Adds gammas and fast neutrons in DN and marks them as the class 1, as an annotator does.

    A hand does not mark single pixels exactly: spots are marked where they can be seen, often with a neighbouring
    pixel too, and the mark may lie a pixel beside the spot. With `slip` and `widen` at 0 masks are exact; `fit`
    measures how an image was annotated.

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

    @classmethod
    def fit(cls, stack: xr.DataArray, labels: xr.DataArray, **settings: Any) -> Self:
        """Measure what an annotator counts as a spot: `visible`, `slip` and `widen`.

        The contrast from which on peaks are more often marked than not; and of spots that are one visible pixel, how
        many marks miss it by a pixel, and how many are larger than it.

        Parameters
        ----------
        stack
            One channel with white spots, such as a raw radiograph.
        labels
            Its annotation; the class 1 is the spots.
        settings
            The step's other settings.

        Raises
        ------
        InputError
            If there are several channels, or fewer than 20 marked spots of one pixel.
        """
        if stack.sizes["channel"] != 1:
            raise InputError(f"the stack has {stack.sizes['channel']} channels, spots are measured in one")
        image, marks = np.asarray(stack.values[0], np.float32), np.asarray(labels.values) == 1
        contrast = local_contrast(image, NoiseModel.fit([image]))
        peaks = (contrast == maximum_filter(contrast, 3)) & (contrast > _FAINTEST)
        hit = binary_dilation(marks, _AROUND)
        visible = _least_wrong(contrast[peaks], hit[peaks])
        alone = convolve((contrast > visible).astype(np.int64), _NEAR, mode="constant") == 1
        single = peaks & hit & alone & (contrast > visible)
        if single.sum() < _LEAST:
            raise InputError(
                f"{single.sum()} marked spots are one pixel large, expected at least {_LEAST} to measure how spots are "
                "marked; annotate a larger part"
            )
        widen = float((convolve(marks.astype(np.int64), _NEAR, mode="constant")[single] > 1).mean())
        # One slip in nine stays in place, and one widened mark in eight is widened back to where it should be.
        slip = min(1.0, float((~marks[single]).mean()) * 9.0 / 8.0 / (1.0 - widen / 8.0))
        return cls(
            visible=visible, slip=Interval(low=slip, high=slip), widen=Interval(low=widen, high=widen), **settings
        )

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


def _least_wrong(contrasts: NDArray[np.float32], marked: NDArray[np.bool_]) -> float:
    """Find the threshold on the contrast that is least often wrong about what was marked."""
    order = np.argsort(contrasts)
    hit = marked[order].astype(np.int64)
    wrong = np.concatenate([[0], np.cumsum(hit)]) + np.concatenate([np.cumsum((1 - hit)[::-1])[::-1], [0]])
    return float(contrasts[order][min(int(wrong.argmin()), len(hit) - 1)])


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
