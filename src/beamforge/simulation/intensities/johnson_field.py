"""Grey values with the distribution and the correlation of a measurement."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.random import Generator

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.simulation.interval import Interval
from beamforge.simulation.partial_volume import shared_pixels, without_holes
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity
from beamforge.stack import IGNORE
from beamforge.statistics.correlation import CorrelationKind
from beamforge.statistics.marginals import Method
from beamforge.statistics.model import IntensityModel, MarginalKind
from beamforge.statistics.random_field import ScoreField
from beamforge.statistics.runs import Runs
from beamforge.statistics.value_tables import blend_values, fill_values, value_tables


class JohnsonField(Intensity, name="johnson_field"):
    """A Gaussian random field of normal scores, mapped to grey values by each class's own curve.

    Values follow the class's distribution in each channel, trimmed to the measured range; their scores have the
    measured correlation between channels and in space. Noise and drift run on across edges between classes, as they
    do in a detector.

    Near an edge a pixel sees several classes: its value is the mean of their values at the same scores, weighted by
    the classes' indicators under a Gaussian point spread function. The texture of the noise is not blurred by this,
    because it was measured behind the same instrument.

    Ignored pixels get the values of the nearest class.

    Source: Sathe et al. 2024, Eqs. 1-2, extended by correlation and edges.

    Attributes
    ----------
    model
        What to draw from.
    psf_sigma
        Standard deviation in px of the point spread function at edges; 0 for sharp edges.
    """

    model: IntensityModel
    psf_sigma: Interval = Interval(low=0.0, high=0.0)

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray,
        *,
        marginal: MarginalKind = "johnson",
        correlation: CorrelationKind = "both",
        psf_sigma: Interval | float | tuple[float, float] = 0.0,
        method: Method = "quantiles",
        rng: Generator | None = None,
        minimum: int = 50,
    ) -> Self:
        """Learn from an annotated measurement; for the settings see `IntensityModel.fit`.

        Raises
        ------
        InputError
            If sizes differ, a class has too few pixels, or a channel is constant inside a class.
        """
        model = IntensityModel.fit(
            stack, labels, marginal=marginal, correlation=correlation, method=method, rng=rng, minimum=minimum
        )
        return cls.model_validate({"model": model, "psf_sigma": psf_sigma})

    @cached_property
    def _tables(self) -> Float32:
        return value_tables(self.model.marginals)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Fill every channel of the labels' image.

        Raises
        ------
        InputError
            If the labels hold a class the model does not know.
        """
        self._check(sample.labels)
        classes = without_holes(sample.labels)
        sigma = float(parameters["psf_sigma"])
        shared = shared_pixels(classes, sigma) if sigma > 0 else None
        runs = Runs.of(classes)
        field = ScoreField(self.model.correlation, runs, rng)
        scores = np.empty(classes.shape, np.float32)
        image = np.empty((len(self.model.channels), *classes.shape), np.float32)
        for channel, out in enumerate(image):
            field.scores(channel, scores)
            fill_values(scores, *runs.arrays, self._tables[channel], out)
            if shared is not None:
                blend_values(scores, *shared, self._tables[channel], out)
        return sample.replace(image=image)

    def _check(self, labels: Any) -> None:
        known = len(self.model.classes)
        unknown = [v for v in np.flatnonzero(np.bincount(labels.ravel())).tolist() if v >= known and v != IGNORE]
        if unknown:
            raise InputError(
                f"the labels hold the classes {unknown[:8]}, but the intensity model knows only 0..{known - 1} "
                f"({', '.join(self.model.classes.names)}); give the scene as many classes as the model has"
            )
