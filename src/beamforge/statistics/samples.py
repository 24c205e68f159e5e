"""The grey values of every class in every channel, checked, freed of ties, and summed up in quantiles."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.stack import Classes, channels_of, check_pair, classes_of
from beamforge.statistics.johnson import QUANTILE_PROBABILITIES

KNOTS = 129
"""Number of quantiles at evenly spaced normal scores."""

EVEN_QUANTILES = 512
"""Number of quantiles at evenly spaced probabilities."""


@dataclass(frozen=True)
class Summary:
    """What the fits need of each sample; every array starts with the axes (class, channel).

    Attributes
    ----------
    counts
        Finite labelled pixels.
    invalid
        Labelled pixels that are NaN or infinite, left out.
    low, high
        Range of the values.
    four
        (…, 4) quantiles at `QUANTILE_PROBABILITIES`.
    even
        (…, `EVEN_QUANTILES`) quantiles at probabilities (i + ½)/`EVEN_QUANTILES`.
    knots
        (…, `KNOTS`) quantiles at evenly spaced normal scores between those of the smallest and the largest value.
    moments
        (…, 4) mean, standard deviation, skewness, kurtosis.
    """

    counts: NDArray[np.int64]
    invalid: NDArray[np.int64]
    low: Float64
    high: Float64
    four: Float64
    even: Float64
    knots: Float64
    moments: Float64


def extreme_score(count: Any) -> Float64:
    """Normal score of the largest of `count` values, by Hazen's plotting position."""
    return np.asarray(-ndtri(0.5 / np.asarray(count, np.float64)))


def class_positions(labels: xr.DataArray, classes: Classes, minimum: int) -> list[NDArray[np.int64]]:
    """Find the flat positions of every class's pixels.

    Raises
    ------
    InputError
        Naming every class with fewer than `minimum` pixels, with its count.
    """
    values = np.asarray(labels.values).ravel()
    order = np.argsort(values, kind="stable")
    bounds = np.searchsorted(values[order], np.arange(len(classes) + 1))
    positions = [order[a:b] for a, b in itertools.pairwise(bounds)]
    few = [f"{name!r} ({p.size})" for name, p in zip(classes.names, positions, strict=True) if p.size < minimum]
    if few:
        raise InputError(
            f"too few labelled pixels to fit the class {', '.join(few)}: at least {minimum} are needed; "
            "label more of it or leave it out of the classes"
        )
    return positions


def summarise(
    stack: xr.DataArray, labels: xr.DataArray, rng: Generator, *, minimum: int = 50, moments: bool = False
) -> Summary:
    """Sum up the values of every class in every channel.

    Each channel is read once, so that a lazy stack never has to fit in memory. Whole numbers are spread evenly over
    ±½, because quantiles of tied values do not determine a curve.

    Parameters
    ----------
    stack
        (channel, y, x); non-finite pixels count nowhere.
    labels
        (y, x).
    rng
        Random stream of the spreading of whole numbers.
    minimum
        How many finite pixels every class needs in every channel.
    moments
        Whether to compute the moments; NaN otherwise.

    Raises
    ------
    InputError
        If sizes differ, a class has too few pixels, or a channel is constant inside a class.
    """
    check_pair(stack, labels)
    classes = classes_of(labels)
    positions = class_positions(labels, classes, minimum)
    names = [channel.label for channel in channels_of(stack)]
    streams = rng.spawn(len(names))

    def of_channel(number: int) -> list[_Sample]:
        plane = np.asarray(stack[number].values).ravel()
        return [
            _sample(plane[where], streams[number], minimum, classes.names[k], names[number], moments)
            for k, where in enumerate(positions)
        ]

    with ThreadPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
        return _collected(list(pool.map(of_channel, range(len(names)))))


@dataclass(frozen=True)
class _Sample:
    count: int
    invalid: int
    four: Float64
    even: Float64
    knots: Float64
    moments: Float64


def _collected(rows: Sequence[Sequence[_Sample]]) -> Summary:
    """Turn samples [channel][class] into arrays (class, channel, ...)."""

    def gather(name: str, dtype: type) -> NDArray[Any]:
        return np.array([[getattr(s, name) for s in row] for row in rows], dtype=dtype).swapaxes(0, 1)

    knots = gather("knots", np.float64)
    return Summary(
        counts=gather("count", np.int64),
        invalid=gather("invalid", np.int64),
        low=knots[..., 0].copy(),
        high=knots[..., -1].copy(),
        four=gather("four", np.float64),
        even=gather("even", np.float64),
        knots=knots,
        moments=gather("moments", np.float64),
    )


def _sample(
    values: NDArray[Any], rng: Generator, minimum: int, class_name: str, channel_name: str, moments: bool
) -> _Sample:
    finite = values if values.dtype.kind in "uib" else values[np.isfinite(values)]
    invalid = values.size - finite.size
    if finite.size < minimum:
        raise InputError(
            f"class {class_name!r} has {values.size} labelled pixels but only {finite.size} finite ones in channel "
            f"{channel_name!r}, a fit needs {minimum}; repair the channel or leave it out"
        )
    ordered = np.sort(spread_whole_numbers(finite, rng))
    if finite.min() == finite.max():
        raise InputError(
            f"channel {channel_name!r} is constant ({finite.flat[0]}) inside class {class_name!r}; "
            "leave out the channel, or the pixels if they are saturated or masked"
        )
    z = extreme_score(ordered.size) * np.linspace(-1.0, 1.0, KNOTS)
    return _Sample(
        count=ordered.size,
        invalid=invalid,
        four=quantiles_of_sorted(ordered, QUANTILE_PROBABILITIES),
        even=quantiles_of_sorted(ordered, (np.arange(EVEN_QUANTILES) + 0.5) / EVEN_QUANTILES),
        knots=quantiles_of_sorted(ordered, ndtr(z)),
        moments=_moments(ordered) if moments else np.full(4, np.nan),
    )


def spread_whole_numbers(values: NDArray[Any], rng: Generator) -> Float32:
    """Add an even spread of ±½ to values that are whole numbers; leave others as they are."""
    as_float = values.astype(np.float32)
    if values.dtype.kind in "uib" or bool((as_float == np.rint(as_float)).all()):
        as_float += rng.random(values.shape, dtype=np.float32) - np.float32(0.5)
    return as_float


def quantiles_of_sorted(ordered: NDArray[Any], p: Float64) -> Float64:
    """Quantiles of a sorted sample at Hazen's plotting positions (i + ½)/n, straight lines between."""
    place = np.clip(p * ordered.size - 0.5, 0.0, ordered.size - 1.0)
    below = np.minimum(place.astype(np.int64), ordered.size - 2)
    lower, upper = ordered[below].astype(np.float64), ordered[below + 1].astype(np.float64)
    return np.asarray(lower + (place - below) * (upper - lower))


def _moments(values: Float32) -> Float64:
    mean = values.mean(dtype=np.float64)
    centred = values - mean
    variance = np.mean(centred**2)
    third, fourth = np.mean(centred**3), np.mean(centred**4)
    return np.array([mean, np.sqrt(variance), third / variance**1.5, fourth / variance**2])
