"""Training any classical classifier by its name."""

from __future__ import annotations

import xarray as xr
from numpy.random import Generator

from beamforge.classical.analytic import AnalyticClassifier
from beamforge.classical.classifier import Classifier
from beamforge.classical.gaussian import GaussianClassifier
from beamforge.classical.pixels.classifier import PixelClassifier
from beamforge.classical.pixels.filters import Filters
from beamforge.classical.pixels.methods import METHODS
from beamforge.errors import one_of
from beamforge.stack import check_pair
from beamforge.statistics.model import IntensityModel

ALL_METHODS = ("analytic", "gaussian", *METHODS)
"""Names `train_classifier` knows."""


def train_classifier(
    stack: xr.DataArray,
    labels: xr.DataArray,
    method: str,
    rng: Generator,
    *,
    filters: Filters | None = None,
    pixels_per_class: int = 2000,
) -> Classifier:
    """Train a classifier from scribbles or a full mask.

    Parameters
    ----------
    stack
        (channel, y, x).
    labels
        (y, x); 255 = not labelled. Classes without a labelled pixel are an error.
    method
        One of `ALL_METHODS`; ``analytic`` and ``gaussian`` judge pixels by their values alone.
    rng
        Random stream.
    filters, pixels_per_class
        See `PixelClassifier.fit`; they do not concern ``analytic`` and ``gaussian``.

    Raises
    ------
    InputError
        If the method is unknown or a class cannot be fitted.
    """
    if method not in ALL_METHODS:
        raise one_of("method", method, ALL_METHODS)
    check_pair(stack, labels)
    if method == "analytic":
        return AnalyticClassifier(IntensityModel.fit(stack, labels, rng=rng))
    if method == "gaussian":
        return GaussianClassifier.fit(stack, labels)
    return PixelClassifier.fit(stack, labels, method, rng, filters=filters, pixels_per_class=pixels_per_class)
