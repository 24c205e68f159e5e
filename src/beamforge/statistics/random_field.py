"""Simulation of normal scores with a given correlation, plane by plane.

Noise is white noise, mixed between channels and convolved with its kernel, taken apart into products of a column and
a row. Drift is white noise on a coarse grid, mixed between channels there and spread by Gaussian kernels; at a spacing
of one sigma the variance is even to 2 in 10⁴. Nothing wraps around the edges of a tile, and no Fourier transform is
needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32, Float64
from beamforge.statistics.compiled import compiled
from beamforge.statistics.correlation import ChannelMatrix, Correlation
from beamforge.statistics.philox import Words, fill_normals

_NOISE_FACTORS, _NOISE_OWN, _DRIFT_FACTORS, _DRIFT_OWN = 0, 1, 2, 3
_KERNEL_ACCURACY = 1e-4
_REACH_OF_DRIFT = 4.0


@dataclass(frozen=True)
class _Grid:
    """A coarse grid whose Gaussian bumps make up one scale of the drift: weights (pixel, 2 reach) and first points."""

    rows: tuple[Float32, np.ndarray, int]
    columns: tuple[Float32, np.ndarray, int]


class Planes(NamedTuple):
    """Noise and drift (y, x) of one channel, each of unit variance."""

    noise: Float32
    drift: Float32


@compiled
def _mix(factors: Float32, loadings: Float32, own: float, plane: Float32) -> None:
    """Scale the channel's own noise in `plane` and add what it shares with others."""
    scale = np.float32(own)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            plane[y, x] *= scale
        for f in range(factors.shape[0]):
            weight = loadings[f]
            for x in range(plane.shape[1]):
                plane[y, x] += weight * factors[f, y, x]


@compiled
def _convolve(padded: Float32, columns: Float32, rows: Float32, middle: Float32, out: Float32) -> None:
    """Convolve with a sum of products of columns and rows; the edges of `padded` are used up."""
    height, width = out.shape
    taps = columns.shape[1]
    for y in range(height):
        for x in range(width):
            out[y, x] = np.float32(0.0)
        for part in range(columns.shape[0]):
            weight = columns[part, 0]
            for x in range(padded.shape[1]):
                middle[x] = weight * padded[y, x]
            for t in range(1, taps):
                weight = columns[part, t]
                for x in range(padded.shape[1]):
                    middle[x] += weight * padded[y + t, x]
            for t in range(taps):
                weight = rows[part, t]
                for x in range(width):
                    out[y, x] += weight * middle[x + t]


@compiled
def _spread(
    coarse: Float32,
    row_weights: Float32,
    first_rows: np.ndarray,
    column_weights: Float32,
    first_columns: np.ndarray,
    wide: Float32,
    out: Float32,
) -> None:
    """Add to `out` the Gaussian bumps that stand on a coarse grid."""
    height, width = out.shape
    for j in range(coarse.shape[0]):
        for x in range(width):
            total = np.float32(0.0)
            for t in range(column_weights.shape[1]):
                total += column_weights[x, t] * coarse[j, first_columns[x] + t]
            wide[j, x] = total
    for y in range(height):
        for t in range(row_weights.shape[1]):
            weight = row_weights[y, t]
            for x in range(width):
                out[y, x] += weight * wide[first_rows[y] + t, x]


class RandomField:
    """Draws planes of noise and drift for one correlation and one size of image.

    Parameters
    ----------
    correlation
        The law.
    shape
        (y, x) in px.
    rng
        Gives the key; all planes follow from it.
    """

    def __init__(self, correlation: Correlation, shape: tuple[int, int], rng: Generator) -> None:
        self.correlation = correlation
        self.shape = shape
        self.key: Words = rng.integers(0, 2**32, size=2, dtype=np.uint32)
        self.has_drift = correlation.drift_sigmas.size > 0 and bool((correlation.drift_share > 0).any())
        self._columns, self._rows = separated(correlation.kernel)
        reach = correlation.kernel.shape[0] - 1
        self._padded = (shape[0] + reach, shape[1] + reach)
        longest = max(self._padded[1], 64) + 8
        self._words, self._magnitudes = np.empty(longest, np.uint32), np.empty(longest, np.float32)
        self._middle = np.empty(self._padded[1], np.float32)
        self._plane = np.empty(self._padded, np.float32)

    def _normals(self, shape: tuple[int, int], stream: int, part: int) -> Float32:
        out = np.empty(shape, np.float32)
        self._fill(out, stream, part)
        return out

    def _fill(self, out: Float32, stream: int, part: int) -> None:
        if out.shape[1] + 4 > self._words.size:
            self._words, self._magnitudes = (np.empty(out.shape[1] + 8, t) for t in (np.uint32, np.float32))
        fill_normals(out, self.key, stream, part, self._words, self._magnitudes)

    @cached_property
    def _noise_factors(self) -> Float32:
        count = self.correlation.noise.loadings.shape[1]
        return _stack([self._normals(self._padded, f, _NOISE_FACTORS) for f in range(count)], self._padded)

    @cached_property
    def _grids(self) -> list[_Grid]:
        sigmas, weights = self.correlation.drift_sigmas, self.correlation.drift_weights
        return [
            _Grid(_bumps(self.shape[0], s, w**0.25), _bumps(self.shape[1], s, w**0.25))
            for s, w in zip(sigmas.tolist(), weights.tolist(), strict=True)
        ]

    @cached_property
    def _drift_factors(self) -> list[Float32]:
        count = self.correlation.drift.loadings.shape[1]
        shapes = [(grid.rows[2], grid.columns[2]) for grid in self._grids]
        return [
            _stack([self._normals(shape, number * count + f, _DRIFT_FACTORS) for f in range(count)], shape)
            for number, shape in enumerate(shapes)
        ]

    def noise(self, channel: int, out: Float32) -> None:
        """Draw the noise (y, x) of a channel into `out`."""
        plain = self._padded == self.shape
        plane = out if plain else self._plane
        self._own(self.correlation.noise, channel, plane, channel, _NOISE_OWN)
        _mixed(self.correlation.noise, channel, self._noise_factors, plane)
        if not plain:
            _convolve(plane, self._columns, self._rows, self._middle, out)

    def drift(self, channel: int, out: Float32) -> None:
        """Draw the drift (y, x) of a channel into `out`."""
        out[:] = 0.0
        channels = self.correlation.drift.own.size
        for number, (grid, factors) in enumerate(zip(self._grids, self._drift_factors, strict=True)):
            coarse = np.empty((grid.rows[2], grid.columns[2]), np.float32)
            self._own(self.correlation.drift, channel, coarse, number * channels + channel, _DRIFT_OWN)
            _mixed(self.correlation.drift, channel, factors, coarse)
            wide = np.empty((coarse.shape[0], self.shape[1]), np.float32)
            _spread(coarse, grid.rows[0], grid.rows[1], grid.columns[0], grid.columns[1], wide, out)

    def _own(self, matrix: ChannelMatrix, channel: int, plane: Float32, stream: int, part: int) -> None:
        """Draw what a channel shares with no other."""
        if matrix.own[channel] > 0:
            self._fill(plane, stream, part)
        else:
            plane[:] = 0.0

    def planes(self, channel: int) -> Planes:
        """Draw noise and drift of one channel."""
        noise, drift = np.empty(self.shape, np.float32), np.zeros(self.shape, np.float32)
        self.noise(channel, noise)
        if self.has_drift:
            self.drift(channel, drift)
        return Planes(noise, drift)


def _stack(planes: list[Float32], shape: tuple[int, int]) -> Float32:
    return np.stack(planes) if planes else np.zeros((0, *shape), np.float32)


def _mixed(matrix: ChannelMatrix, channel: int, factors: Float32, plane: Float32) -> None:
    if matrix.loadings.shape[1] == 0 and matrix.own[channel] == 1.0:
        return
    loadings = matrix.loadings[channel].astype(np.float32)
    used = int(np.flatnonzero(loadings).max(initial=-1)) + 1
    _mix(factors[:used], loadings[:used], float(matrix.own[channel]), plane)


def separated(kernel: Float64) -> tuple[Float32, Float32]:
    """Take a kernel apart into products of a column and a row, as many as it needs for 10⁻⁴ of its power.

    Returns
    -------
    columns, rows
        (part, tap); the kernel is the sum over parts of their outer products, scaled to the kernel's power.
    """
    u, s, v = np.linalg.svd(kernel)
    power = np.cumsum(s**2)
    parts = int(np.searchsorted(power, (1.0 - _KERNEL_ACCURACY) * power[-1])) + 1
    scale = np.sqrt(s[:parts]) * (power[-1] / power[parts - 1]) ** 0.25
    columns, rows = (u[:, :parts] * scale).T, v[:parts] * scale[:, None]
    return np.ascontiguousarray(columns, np.float32), np.ascontiguousarray(rows, np.float32)


def _bumps(length: int, sigma: float, scale: float) -> tuple[Float32, np.ndarray, int]:
    """Weights (pixel, point) of Gaussian bumps along one axis, first point of each pixel, and number of points."""
    spacing = max(1, int(sigma))
    reach = int(np.ceil(_REACH_OF_DRIFT * sigma / spacing))
    pixel = np.arange(length)
    first = pixel // spacing
    # Each pixel sees its own point of the grid and `reach` points on both sides; the first points lie outside.
    place = (first[:, None] + np.arange(2 * reach + 1) - reach) * spacing
    weights = np.exp(-0.5 * ((pixel[:, None] - place) / sigma) ** 2)
    weights *= scale / np.sqrt((weights**2).sum(axis=1, keepdims=True))
    points = int(first[-1]) + 2 * reach + 1
    return weights.astype(np.float32), first, points
