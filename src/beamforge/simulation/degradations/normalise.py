"""Normalisation by what was learnt from: never by the image itself, whose contents would change its grey values."""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import model_validator

from beamforge.arrays import Float64Field
from beamforge.simulation.degradations.histogram_match import fitted_values, refuse_other_channels
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Normalise(Degradation, name="normalise"):
    """Subtracts an offset from each channel and divides by a scale.

    Attributes
    ----------
    offset, scale
        (channel,) in the image's units.
    """

    offset: Float64Field
    scale: Float64Field

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.offset.ndim != 1 or self.offset.shape != self.scale.shape:
            raise ValueError(f"offset {self.offset.shape} and scale {self.scale.shape} must both be (channel,)")
        if not (np.isfinite(self.offset).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise ValueError("offset must be finite and scale finite and above 0")
        return self

    @classmethod
    def fit(cls, stack: xr.DataArray, labels: xr.DataArray) -> Self:
        """Take mean and standard deviation of the labelled pixels of a measurement; a constant channel keeps its unit.

        Raises
        ------
        InputError
            If sizes differ or a channel has no finite labelled value.
        """
        rows = fitted_values(stack, labels)
        spread = np.array([values.std() for values in rows])
        return cls(offset=np.array([values.mean() for values in rows]), scale=np.where(spread > 0, spread, 1.0))

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Normalise."""
        refuse_other_channels(sample, len(self.offset), self.step_name)
        image = (sample.image - self.offset[:, None, None]) / self.scale[:, None, None]
        return sample.replace(image=image.astype(np.float32))
