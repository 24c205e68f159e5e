"""A ground metal surface without any example of one."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d

from beamforge.arrays import Float32
from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import Interval, LogInterval, MeasuredInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity

_POINTS = 4
"""Points per correlation length at which streaks are drawn along themselves."""


class BrushedMetal(Intensity, name="brushed_metal"):
    """Fills one channel with upright grinding streaks, grain and shading, whatever the labels are.

    Grey values are log-normal around a mean that shading varies. The intervals are those of the middle 80 % of ground
    ferrite surfaces, photographed at several exposures (the magnetic-tile images of Huang, Qiu and Yuan, 2018):
    standard deviation relative to the local mean, and correlations of the grey values at 1 to 40 px along and across.

    Attributes
    ----------
    level
        Mean grey value as a share of full scale.
    contrast
        Standard deviation of the texture, relative.
    streak_share
        Part of its variance that is in streaks.
    streak_length, streak_width
        Standard deviation in px of the Gaussians that smooth streaks along and across.
    grain
        The same for the grain, both ways.
    sparks
        Bright parts of streaks: how many per 100 x 100 px.
    spark_height
        How bright they are, in standard deviations of the texture.
    shading, shading_length
        Standard deviation, relative, and smoothing length in px of the shading.
    """

    level: MeasuredInterval = MeasuredInterval.model_validate(
        [0.18, 0.27, 0.3, 0.34, 0.35, 0.38, 0.43, 0.49, 0.56, 0.6, 0.69]
    )
    contrast: LogInterval = LogInterval(low=0.06, high=0.15)
    streak_share: Interval = Interval(low=0.35, high=0.85)
    streak_length: LogInterval = LogInterval(low=10.0, high=80.0)
    streak_width: LogInterval = LogInterval(low=0.5, high=1.5)
    grain: LogInterval = LogInterval(low=0.4, high=0.9)
    sparks: Interval = Interval(low=0.0, high=12.0)
    spark_height: Interval = Interval(low=0.5, high=2.5)
    shading: Interval = Interval(low=0.03, high=0.2)
    shading_length: LogInterval = LogInterval(low=25.0, high=90.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the surface."""
        shape = (sample.labels.shape[0], sample.labels.shape[1])
        share = parameters["streak_share"]
        streaks = streak_field(shape, parameters["streak_length"], parameters["streak_width"], rng)
        scores = math.sqrt(share) * streaks + math.sqrt(1.0 - share) * _grain(shape, parameters["grain"], rng)
        scores += parameters["spark_height"] * _sparks(shape, parameters["sparks"], rng)
        shade = smooth_field(1, shape, parameters["shading_length"], rng)[0]
        spread = parameters["contrast"]
        relative = np.exp(spread * scores - 0.5 * spread**2) * np.exp(parameters["shading"] * shade)
        return sample.replace(image=(parameters["level"] * relative).astype(np.float32)[None])


def streak_field(shape: tuple[int, int], length: float, width: float, rng: Generator) -> Float32:
    """Draw a Gaussian random field of unit variance that is smooth over `length` px in y and `width` px in x.

    Both are standard deviations of Gaussians that smooth white noise.
    """
    step = length / _POINTS
    margin = 4 * _POINTS
    rows = math.ceil(shape[0] / step) + 2 * margin + 2
    across = math.ceil(4.0 * width)
    noise = rng.standard_normal((rows, shape[1] + 2 * across), dtype=np.float32)
    smooth = gaussian_filter1d(noise, _POINTS, axis=0) * np.float32(math.sqrt(2.0 * math.sqrt(math.pi) * _POINTS))
    smooth = gaussian_filter1d(smooth, width, axis=1)[:, across : across + shape[1]]
    places = np.arange(shape[0]) / step + margin
    low = places.astype(np.int64)
    part = (places - low).astype(np.float32)[:, None]
    field = (1 - part) * smooth[low] + part * smooth[low + 1]
    unit: Float32 = field * np.float32(_to_unit_variance(width, across))
    return unit


def _grain(shape: tuple[int, int], sigma: float, rng: Generator) -> Float32:
    reach = math.ceil(4.0 * sigma)
    noise = rng.standard_normal((shape[0] + 2 * reach, shape[1] + 2 * reach), dtype=np.float32)
    for axis in (0, 1):
        noise = gaussian_filter1d(noise, sigma, axis=axis)
    unit: Float32 = noise[reach : reach + shape[0], reach : reach + shape[1]] * np.float32(
        _to_unit_variance(sigma, reach) ** 2
    )
    return unit


def _to_unit_variance(sigma: float, reach: int) -> float:
    """Give the factor that makes up for smoothing white noise by a sampled Gaussian along one axis."""
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1.0
    taps = gaussian_filter1d(impulse, sigma, mode="constant")
    return float(1.0 / math.sqrt((taps**2).sum()))


def _sparks(shape: tuple[int, int], density: float, rng: Generator) -> Float32:
    """Draw short upright dashes of random heights, mean 1."""
    field = np.zeros(shape, np.float32)
    count = rng.poisson(density * shape[0] * shape[1] / 1e4)
    starts = (rng.random((count, 2)) * shape).astype(np.int64)
    lengths = 1 + rng.geometric(1.0 / 8.0, count)
    heights = rng.exponential(1.0, count)
    for (y, x), length, height in zip(starts, lengths, heights, strict=True):
        field[y : y + length, x] += np.float32(height)
    smooth: Float32 = gaussian_filter1d(gaussian_filter1d(field, 0.6, axis=1), 1.5, axis=0)
    return smooth
