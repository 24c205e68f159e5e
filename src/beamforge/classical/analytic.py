"""The likeliest class under a fitted intensity model: what a pixel alone can tell, without any training."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from beamforge.arrays import Float64
from beamforge.classical.classifier import Classifier
from beamforge.classical.mean_field import MeanField
from beamforge.classical.tables import Tables
from beamforge.stack import Channel, Classes
from beamforge.statistics.model import IntensityModel


class AnalyticClassifier(Classifier, name="analytic"):
    """Judges pixels by the law that an intensity model simulates them from.

    The log-density of a pixel under a class is the sum of those of its channels plus that of the Gaussian copula,
    ``-½ ln|R| - ½ zᵀ(R⁻¹ - I)z`` with the normal scores z and the class's correlation R between channels. On
    independent pixels no classifier is better. Values outside the range measured in a class fall off as
    `beamforge.statistics` says; missing channels are integrated out.

    Attributes
    ----------
    model
        The intensity model.
    """

    model: IntensityModel

    def __init__(self, model: IntensityModel, smoothing: MeanField | None = None, **settings: Any) -> None:
        fields: dict[str, Any] = {"model": model, "smoothing": smoothing, **settings}
        super().__init__(**fields)

    @property
    def classes(self) -> Classes:
        """What the classes are."""
        return self.model.classes

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels are."""
        return self.model.channels

    @cached_property
    def _tables(self) -> Tables:
        return Tables.of(self.model.marginals)

    @cached_property
    def _factors(self) -> list[Float64]:
        """Cholesky factors of the correlation between channels, one a class."""
        count = len(self.classes)
        return [cholesky(self.model.correlation.channels_of(label), lower=True) for label in range(count)]

    def log_densities(self, values: Float64, present: NDArray[np.intp]) -> Float64:
        """Give the log-density of every class (class, pixel); missing channels are integrated out."""
        complete = len(present) == len(self.channels)
        densities = []
        for label in range(len(self.classes)):
            density, scores = self._tables.look_up(values, present, label)
            if complete:
                factor = self._factors[label]
            else:
                correlation = self.model.correlation.channels_of(label)
                factor = cholesky(correlation[np.ix_(present, present)], lower=True)
            densities.append(density + _log_copula(scores, factor))
        return np.stack(densities)


def _log_copula(scores: Float64, factor: Float64) -> Float64:
    """Give the log-density (pixel,) of a Gaussian copula from normal scores (channel, pixel).

    Parameters
    ----------
    scores
        Normal scores.
    factor
        Lower Cholesky factor of the correlation matrix.
    """
    white = solve_triangular(factor, scores, lower=True, check_finite=False)
    squares: Float64 = np.einsum("cp,cp->p", scores, scores) - np.einsum("cp,cp->p", white, white)
    density: Float64 = 0.5 * squares - np.log(np.diag(factor)).sum()
    return density
