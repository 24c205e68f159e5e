"""Is a simulation like its model? Simulate, fit again, and compare, class by class and channel by channel."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from scipy.special import ndtr

from beamforge.arrays import Float64, Float64Field
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.simulation.sample import Sample
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import IGNORE, Channel, Classes, as_labels, as_stack
from beamforge.statistics.correlation import Correlation
from beamforge.statistics.goodness import kolmogorov_smirnov, wasserstein
from beamforge.statistics.marginals import JohnsonMarginals, Marginals
from beamforge.statistics.model import IntensityModel
from beamforge.statistics.samples import EVEN_QUANTILES, summarise

PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LAGS = (1, 4, 16)

# Drift makes a square of a class lighter or darker as a whole: many small tiles judge the distribution better than a
# few large ones, while squares stay larger than the lags looked at.
_TILE, _SQUARE = 96, 32


def _with_gaps(value: object) -> Float64:
    return np.array(value, dtype=np.float64)


def _gaps_as_null(array: Float64) -> object:
    return np.where(np.isfinite(array), array.astype(object), np.array(None)).tolist()


GapsField = Annotated[
    np.ndarray,
    BeforeValidator(_with_gaps),
    PlainSerializer(_gaps_as_null, when_used="json"),
    WithJsonSchema({"type": "array"}),
]
"""An array whose NaN are null in JSON."""


class RefitDifferences(BaseModel):
    """Differences between a model and the one fitted to what it simulates; all arrays start with (class, channel).

    Parameters of near-normal curves are not identifiable: very different ones give the same distribution. Judge a
    simulation by `w1`, `ks` and `quantiles`; the parameters stand here to be compared with the neutron paper.

    Attributes
    ----------
    classes, channels
        What the axes are.
    pixels
        Simulated pixels (class, channel).
    w1
        Wasserstein distance between the model's law and the simulated values over the law's standard deviation.
    ks
        Kolmogorov-Smirnov distance between them.
    quantiles
        (…, probability) simulated less modelled quantile at `probabilities`, over the standard deviation.
    delta_gamma, delta_eta, delta_epsilon, delta_lambda
        Relative differences of the Johnson parameters, (refitted - model)/|model| (Sathe et al. 2024, Fig. 2b). NaN,
        null in JSON, where the families differ, the model's parameter is 0, or the law is no Johnson curve.
    same_family
        Whether both curves are of one family; false where the law is no Johnson curve.
    channel_correlation
        Root mean square difference of the correlations of a channel with all others.
    lag_correlation
        (…, lag) refitted less modelled correlation of pixels `lags` px apart along x.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    classes: Classes
    channels: tuple[Channel, ...]
    probabilities: tuple[float, ...] = PROBABILITIES
    lags: tuple[int, ...] = LAGS
    pixels: Float64Field
    w1: Float64Field
    ks: Float64Field
    quantiles: Float64Field
    delta_gamma: GapsField
    delta_eta: GapsField
    delta_epsilon: GapsField
    delta_lambda: GapsField
    same_family: tuple[tuple[bool, ...], ...]
    channel_correlation: Float64Field
    lag_correlation: Float64Field


def validate(model: IntensityModel | JohnsonField, rng: Generator, *, pixels: int = 20_000) -> RefitDifferences:
    """Simulate images from a model, fit a model of the same kind to them, and compare the two.

    Parameters
    ----------
    model
        The model, or the step that holds it. Edges are left sharp: mixed pixels are not the model's own values.
    rng
        Random stream of the simulation.
    pixels
        Least number of pixels to simulate for every class.
    """
    original = model.model if isinstance(model, JohnsonField) else model
    image, labels = _simulate(original, rng, pixels)
    stack = as_stack(image, original.channels)
    labelled = as_labels(labels, original.classes)
    kind, correlation = original.marginals.marginal, original.correlation.kind
    again = IntensityModel.fit(stack, labelled, marginal=kind, correlation=correlation, rng=rng)
    law = original.marginals
    even = summarise(stack, labelled, rng).even
    p = (np.arange(EVEN_QUANTILES) + 0.5) / EVEN_QUANTILES
    expected = law.quantile(p)
    sd = expected.std(axis=-1)
    cdf = np.stack([ndtr(law.to_normal(even[label], label)) for label in range(len(original.classes))])
    return RefitDifferences(
        classes=original.classes,
        channels=original.channels,
        pixels=again.pixel_counts,
        w1=wasserstein(even, expected, sd),
        ks=np.maximum(kolmogorov_smirnov(cdf) - 0.5 / EVEN_QUANTILES, 0.0),
        quantiles=(again.marginals.quantile(PROBABILITIES) - law.quantile(PROBABILITIES)) / sd[..., None],
        channel_correlation=_channel_differences(original.correlation, again.correlation),
        lag_correlation=_lag_differences(original.correlation, again.correlation),
        **_parameter_differences(law, again.marginals),
    )


def _simulate(model: IntensityModel, rng: Generator, pixels: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Simulate independent tiles side by side; a column to ignore keeps the regions of neighbours apart."""
    classes = len(model.classes)
    board = Checkerboard(classes=classes, tile=_TILE, width=_SQUARE)
    step = JohnsonField(model=model)
    count = math.ceil(1.1 * pixels * classes / board.tile**2)
    images, labels = [], []
    for stream in rng.spawn(max(count, 1)):
        scene = board.apply(Sample.empty(), board.draw(Sample.empty(), stream), stream)
        sample = step.apply(scene, {"psf_sigma": 0.0}, stream)
        images.append(np.pad(sample.image, ((0, 0), (0, 0), (0, 1))))
        labels.append(np.pad(sample.labels, ((0, 0), (0, 1)), constant_values=IGNORE))
    return np.concatenate(images, axis=2), np.concatenate(labels, axis=1).astype(np.uint8)


def _parameter_differences(model: Marginals, again: Marginals) -> dict[str, object]:
    names = {"delta_gamma": "gamma", "delta_eta": "eta", "delta_epsilon": "epsilon", "delta_lambda": "lambda_"}
    if not (isinstance(model, JohnsonMarginals) and isinstance(again, JohnsonMarginals)):
        classes, channels = model.shape
        return {name: np.full(model.shape, np.nan) for name in names} | {
            "same_family": ((False,) * channels,) * classes
        }
    same = np.array(model.family) == np.array(again.family)
    differences: dict[str, object] = {"same_family": same.tolist()}
    for name, parameter in names.items():
        before, after = getattr(model, parameter), getattr(again, parameter)
        comparable = same & (before != 0)
        differences[name] = np.where(comparable, (after - before) / np.abs(np.where(comparable, before, 1.0)), np.nan)
    return differences


def _channel_differences(model: Correlation, again: Correlation) -> Float64:
    classes, channels = model.drift_share.shape
    others = max(channels - 1, 1)
    squares = [((again.channels_of(k) - model.channels_of(k)) ** 2).sum(axis=1) / others for k in range(classes)]
    return np.asarray(np.sqrt(np.stack(squares)))


def _lag_differences(model: Correlation, again: Correlation) -> Float64:
    classes = model.drift_share.shape[0]
    rows = [[np.diag(again.at(0, lag, k) - model.at(0, lag, k)) for lag in LAGS] for k in range(classes)]
    return np.asarray(rows).swapaxes(1, 2)
