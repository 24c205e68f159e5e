"""Histogram matching: every image gets the grey values of the ones that were learnt from."""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import model_validator

from beamforge.arrays import Float32, Float64Field
from beamforge.errors import InputError
from beamforge.simulation.planes import filter_planes
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.stack import IGNORE, check_pair

_QUANTILES = 1024


class HistogramMatch(Degradation, name="histogram_match"):
    """Maps the values of each channel, in their order, onto quantiles that were fitted before.

    It assumes that all images hold the classes in the same shares; where they differ, grey values shift from one class
    to another.

    Attributes
    ----------
    quantiles
        (channel, quantile) evenly spaced from the least to the largest value.
    """

    quantiles: Float64Field

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.quantiles.ndim != 2 or self.quantiles.shape[1] < 2:
            raise ValueError(f"quantiles have shape {self.quantiles.shape}, expected (channel, quantile)")
        if not np.isfinite(self.quantiles).all() or (np.diff(self.quantiles, axis=1) < 0).any():
            raise ValueError("quantiles must be finite and must not fall")
        return self

    @classmethod
    def fit(cls, stack: xr.DataArray, labels: xr.DataArray) -> Self:
        """Take the quantiles of the labelled pixels of a measurement, every class included.

        Raises
        ------
        InputError
            If sizes differ or a channel has no finite labelled value.
        """
        rows = fitted_values(stack, labels)
        return cls(quantiles=np.stack([np.quantile(values, np.linspace(0, 1, _QUANTILES)) for values in rows]))

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Match."""
        refuse_other_channels(sample, len(self.quantiles), self.step_name)
        places = np.linspace(0.0, 1.0, self.quantiles.shape[1])

        def matched(plane: Float32, channel: int) -> Float32:
            values, inverse, counts = np.unique(plane, return_inverse=True, return_counts=True)
            # The middle of the ranks that equal values share.
            ranks = (np.cumsum(counts) - 0.5 * counts - 0.5) / max(plane.size - 1, 1)
            found = np.interp(ranks, places, self.quantiles[channel])
            return found[inverse].reshape(plane.shape).astype(np.float32) if values.size else plane

        return sample.replace(image=filter_planes(sample.image, matched))


def fitted_values(stack: xr.DataArray, labels: xr.DataArray) -> list[np.ndarray]:
    """Give the finite values of each channel where a pixel is labelled.

    Raises
    ------
    InputError
        If sizes differ or a channel has none.
    """
    check_pair(stack, labels)
    known = labels.values != IGNORE
    rows = []
    for number, channel in enumerate(stack):
        values = np.asarray(channel.values, dtype=np.float64)[known]
        values = values[np.isfinite(values)]
        if not values.size:
            raise InputError(f"channel {number} has no finite value where a pixel is labelled; leave it out")
        rows.append(values)
    return rows


def refuse_other_channels(sample: Sample, channels: int, name: str) -> None:
    """Refuse an image of another number of channels than a step was fitted to.

    Raises
    ------
    InputError
        Naming both.
    """
    if len(sample.image) != channels:
        raise InputError(f"the step {name!r} was fitted to {channels} channels, the image has {len(sample.image)}")
