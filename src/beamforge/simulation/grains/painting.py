"""Grains filled with their tones, textures and stripes in one pass over the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from beamforge.arrays import Float32
from beamforge.statistics.compiled import compiled

_POINTS = 8
"""Points of a stripe's profile per stripe."""
_PERIOD = 4096
"""Points after which stripes repeat."""
_STRIPED = 0.5
"""Share of the grains that have stripes."""


@dataclass(frozen=True)
class Coat:
    """What varies inside grains.

    Attributes
    ----------
    strengths
        (grain, channel) factor on the pattern, which gives it a sign and a colour of its own in each grain.
    """

    strengths: Float32

    @staticmethod
    def draw_strengths(grains: int, channels: int, size: float, rng: Generator) -> Float32:
        """Draw strengths of standard deviation `size` that channels mostly share."""
        colour = rng.standard_normal((grains, 1)) + 0.5 * rng.standard_normal((grains, channels))
        return (size / math.sqrt(1.25) * colour).astype(np.float32)


@dataclass(frozen=True)
class Stripes(Coat):
    """Straight stripes, in each grain along a direction of its own or none.

    Attributes
    ----------
    profile
        (point,) height of the stripes across them, of unit variance, periodic.
    directions
        (grain, 2) points per px along y and x.
    """

    profile: Float32
    directions: Float32

    @classmethod
    def draw(cls, grains: int, channels: int, size: float, length: float, rng: Generator) -> Stripes:
        """Draw stripes about `length` px apart, of standard deviation `size`."""
        strengths = cls.draw_strengths(grains, channels, size, rng)
        strengths[rng.random(grains) >= _STRIPED] = 0.0
        angle = rng.uniform(0.0, math.pi, grains)
        directions = _POINTS / length * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        profile = gaussian_filter1d(rng.standard_normal(_PERIOD), _POINTS / 4.0, mode="wrap")
        return cls(strengths, (profile / profile.std()).astype(np.float32), directions.astype(np.float32))


@dataclass(frozen=True)
class Groove:
    """How boundaries differ from the grains beside them: by a Gaussian profile.

    Attributes
    ----------
    distance
        (y, x) to the nearest boundary in px, at most `reach`.
    reach, width
        Largest distance, and standard deviation of the profile, in px.
    contrast
        What is added in the middle.
    """

    distance: Float32
    reach: float
    width: float
    contrast: float


def painted(
    grains: NDArray[np.int32], tones: Float32, texture: Coat, field: Float32, stripes: Stripes, groove: Groove
) -> Float32:
    """Fill grains.

    Parameters
    ----------
    grains
        (y, x) numbers from 0 on.
    tones
        (grain, channel).
    texture, field
        Strengths of the texture, and the texture itself (y, x).
    stripes
        The stripes.
    groove
        The boundaries.

    Returns
    -------
    (channel, y, x).
    """
    image = np.empty((tones.shape[1], *grains.shape), np.float32)
    _paint(image, grains, tones, texture.strengths, field, stripes.strengths, stripes.directions, stripes.profile)
    if groove.contrast != 0.0:
        _engrave(image, groove.distance, groove.reach, groove.width, groove.contrast)
    return image


@compiled
def _paint(
    image: Float32,
    grains: NDArray[np.int32],
    tones: Float32,
    textures: Float32,
    field: Float32,
    stripes: Float32,
    directions: Float32,
    profile: Float32,
) -> None:
    channels, rows, columns = image.shape
    for channel in range(channels):
        for row in range(rows):
            for column in range(columns):
                grain = grains[row, column]
                value = tones[grain, channel] + textures[grain, channel] * field[row, column]
                stripe = stripes[grain, channel]
                if stripe != 0.0:
                    place = directions[grain, 0] * row + directions[grain, 1] * column
                    value += stripe * profile[np.int64(place) & (_PERIOD - 1)]
                image[channel, row, column] = value


@compiled
def _engrave(image: Float32, distance: Float32, reach: float, width: float, contrast: float) -> None:
    channels, rows, columns = image.shape
    factor, height = np.float32(-0.5 / width**2), np.float32(contrast)
    for row in range(rows):
        for column in range(columns):
            away = distance[row, column]
            if away < reach:
                added = height * np.exp(factor * away * away)
                for channel in range(channels):
                    image[channel, row, column] += added
