"""Grey values across a crack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import model_validator

from beamforge.errors import InputError
from beamforge.simulation.cracks.measure import PROFILE, measure_images
from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import Interval, LogInterval, MeasuredInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity

_THINNEST = 1.0
_GAUSSIAN = tuple(round(float(0.5 ** (distance**2)), 4) for distance in PROFILE)


class CrackProfile(Intensity, name="crack_profile"):
    """Darkens (or brightens) what is there along the cracks that the scene `cracks` left, by a measured profile.

    Openings below a pixel are drawn as wide as one and as much fainter.

    Attributes
    ----------
    depth
        Part of the grey value that is missing on the axis; below 0 for cracks that are brighter.
    shape
        The change at distances of 0, 1/4, 1/2, ... 4 half openings from the axis, relative to that on it.
    unevenness
        Standard deviation of the logarithm of the depth along a crack.
    grain
        Length in px over which the depth varies.
    """

    depth: MeasuredInterval = MeasuredInterval.model_validate([0.2, 0.35, 0.42, 0.5, 0.65])
    shape: tuple[float, ...] = _GAUSSIAN
    unevenness: Interval = Interval(low=0.0, high=0.3)
    grain: LogInterval = LogInterval(low=2.0, high=12.0)

    @model_validator(mode="after")
    def _shape_is_whole(self) -> Self:
        if len(self.shape) != len(PROFILE) or self.shape[0] != 1.0 or not np.isfinite(self.shape).all():
            raise ValueError(f"shape is {len(PROFILE)} numbers of which the first is 1, got {list(self.shape)}")
        if self.depth.high > 1.0:
            raise ValueError(f"depth is at most 1 (black), got {self.depth.high}")
        return self

    @classmethod
    def fit(cls, stack: xr.DataArray | Sequence[xr.DataArray], labels: xr.DataArray | Sequence[xr.DataArray]) -> Self:
        """Measure depth and mean shape on annotated cracks; see `Cracks.fit`.

        Raises
        ------
        InputError
            If there is no crack to measure.
        """
        measured = measure_images(stack, labels)
        mean = np.mean([crack.profile for crack in measured], axis=0)
        # Far from the axis the profile is that of other things in the image.
        mean = np.where(PROFILE < 3.0, np.clip(mean, 0.0, 1.0), 0.0)
        shape = tuple(round(float(value), 4) for value in np.minimum.accumulate(mean))
        return cls(depth=MeasuredInterval.of([min(crack.depth, 1.0) for crack in measured]), shape=shape)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Scale the grey values.

        Raises
        ------
        InputError
            If no scene has left cracks.
        """
        if "crack_distance" not in sample.extras:
            raise InputError("the step 'crack_profile' needs the scene 'cracks' before it")
        opening = sample.extras["crack_opening"]
        visible = np.maximum(opening, np.float32(_THINNEST))
        near = np.interp(2.0 * sample.extras["crack_distance"] / visible, PROFILE, self.shape, right=0.0)
        if not near.any():
            return sample
        size = (opening.shape[0], opening.shape[1])
        uneven = np.exp(parameters["unevenness"] * smooth_field(1, size, parameters["grain"], rng)[0])
        depth = np.minimum(parameters["depth"] * uneven * np.minimum(opening / _THINNEST, 1.0), 1.0)
        return sample.replace(image=sample.image * (1.0 - depth * near).astype(np.float32))
