"""Simulation of normal scores with a given correlation, channel by channel.

Noise is white noise convolved with its kernel, taken apart into products of a column and a row. Drift is white noise
on a coarse grid, spread by Gaussian kernels; at a spacing of one sigma its correlation is even to 2 in 10⁴. Factors
that channels share are drawn once, and mixed with the weights of each pixel's class. Nothing wraps around the edges
of a tile, and no Fourier transform is needed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64
from beamforge.statistics.compiled import compiled
from beamforge.statistics.correlation import ChannelMatrices, Correlation
from beamforge.statistics.philox import Words, fill_normals
from beamforge.statistics.runs import Runs

_KERNEL_ACCURACY = 1e-3
_REACH_OF_DRIFT = 4.0

_NOISE, _DRIFT = 0, 1
_SHARED, _OWN = 0, 2


class ScoreField:
    """Normal scores for an image of classes; all of them follow from one key.

    Parameters
    ----------
    correlation
        The law.
    runs
        The image of classes, in runs along its rows.
    rng
        Gives the key.
    """

    def __init__(self, correlation: Correlation, runs: Runs, rng: Generator) -> None:
        self.correlation = correlation
        self.runs = runs
        self.key: Words = rng.integers(0, 2**32, size=2, dtype=np.uint32)
        self._columns, self._rows = separated(correlation.kernel)
        reach = correlation.kernel.shape[0] - 1
        self._padded = np.empty((runs.shape[0] + reach, runs.shape[1] + reach), np.float32)
        self._line = np.empty(self._padded.shape[1], np.float32)
        kinds = [_NOISE, _DRIFT] if correlation.has_drift else [_NOISE]
        self._with_own = [kind for kind in kinds if (self._matrices(kind).own > 0).any()]
        self._kinds = kinds

    def scores(self, channel: int, out: Float32) -> None:
        """Draw the scores (y, x) of a channel into `out`."""
        shared, own = self._weights(channel)
        if self._shared.shape[0] == 0 and self._with_own == [_NOISE] and (own == 1.0).all():
            self._noise(channel, _NOISE | _OWN, out)
            return
        alone = np.empty((len(self._with_own), *self.runs.shape), np.float32)
        for plane, kind in zip(alone, self._with_own, strict=True):
            self._plane(kind, channel, kind | _OWN, plane)
        _mix(self._shared, alone, shared, own, *self.runs.arrays, out)

    def _matrices(self, kind: int) -> ChannelMatrices:
        return self.correlation.noise if kind == _NOISE else self.correlation.drift

    def _weights(self, channel: int) -> tuple[Float32, Float32]:
        """Weights of one channel: (class, shared plane) and (class, own plane)."""
        share = self.correlation.drift_share[:, channel]
        amplitude = {_NOISE: np.sqrt(1.0 - share), _DRIFT: np.sqrt(share)}
        shared = [amplitude[k][:, None] * self._matrices(k).loadings[:, channel] for k in self._kinds]
        own = [amplitude[k] * self._matrices(k).own[:, channel] for k in self._with_own]
        columns = np.stack(own, axis=1) if own else np.zeros((share.size, 0))
        return np.concatenate(shared, axis=1).astype(np.float32), columns.astype(np.float32)

    @cached_property
    def _shared(self) -> Float32:
        """Planes (factor, y, x) that all channels share: those of the noise, then those of the drift."""
        counts = [self._matrices(kind).loadings.shape[2] for kind in self._kinds]
        planes = np.empty((sum(counts), *self.runs.shape), np.float32)
        streams = [(kind, factor) for kind, count in zip(self._kinds, counts, strict=True) for factor in range(count)]
        for plane, (kind, factor) in zip(planes, streams, strict=True):
            self._plane(kind, factor, kind | _SHARED, plane)
        return planes

    def _plane(self, kind: int, stream: int, part: int, out: Float32) -> None:
        if kind == _NOISE:
            self._noise(stream, part, out)
        else:
            self._drift(stream, part, out)

    def _noise(self, stream: int, part: int, out: Float32) -> None:
        if self._padded.shape == out.shape:
            fill_normals(out, self.key, stream, part)
            return
        fill_normals(self._padded, self.key, stream, part)
        _convolve(self._padded, self._columns, self._rows, self._line, out)

    def _drift(self, stream: int, part: int, out: Float32) -> None:
        out[:] = 0.0
        for number, (rows, columns) in enumerate(self._grids):
            coarse = np.empty((rows[2], columns[2]), np.float32)
            # The scale's number goes above all stream numbers, so that no two scales share random numbers.
            fill_normals(coarse, self.key, stream, part + 4 * (number + 1))
            wide = np.empty((coarse.shape[0], out.shape[1]), np.float32)
            _spread(coarse, rows[0], rows[1], columns[0], columns[1], wide, out)

    @cached_property
    def _grids(self) -> list[tuple[Bumps, Bumps]]:
        height, width = self.runs.shape
        pairs = zip(self.correlation.drift_sigmas.tolist(), self.correlation.drift_weights.tolist(), strict=True)
        return [(bumps(height, s, w**0.25), bumps(width, s, w**0.25)) for s, w in pairs]


Bumps = tuple[Float32, NDArray[np.int64], int]
"""Weights (pixel, point) of the bumps that reach a pixel, the first of them, and the number of points."""


def bumps(length: int, sigma: float, scale: float) -> Bumps:
    """Place Gaussian bumps along one axis, a little less than one sigma apart.

    Parameters
    ----------
    length
        Pixels to cover.
    sigma
        Standard deviation of a bump in px.
    scale
        Root of the sum of squares of the weights of a pixel.
    """
    spacing = max(1, int(sigma))
    reach = int(np.ceil(_REACH_OF_DRIFT * sigma / spacing))
    pixel = np.arange(length)
    # A pixel sees the point of its own cell and `reach` points on both sides; the first of all lie outside.
    first = pixel // spacing
    place = (first[:, None] + np.arange(2 * reach + 1) - reach) * spacing
    weights = np.exp(-0.5 * ((pixel[:, None] - place) / sigma) ** 2)
    weights *= scale / np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return weights.astype(np.float32), first, int(first[-1]) + 2 * reach + 1


def separated(kernel: Float64) -> tuple[Float32, Float32]:
    """Take a kernel apart into products of a column and a row, as many as hold all but 10⁻³ of its power.

    Returns
    -------
    columns, rows
        (part, tap); the sum over parts of their outer products is the kernel, scaled to its power.
    """
    u, s, v = np.linalg.svd(kernel)
    power = np.cumsum(s**2)
    parts = int(np.searchsorted(power, (1.0 - _KERNEL_ACCURACY) * power[-1])) + 1
    scale = np.sqrt(s[:parts]) * (power[-1] / power[parts - 1]) ** 0.25
    columns, rows = (u[:, :parts] * scale).T, v[:parts] * scale[:, None]
    return np.ascontiguousarray(columns, np.float32), np.ascontiguousarray(rows, np.float32)


@compiled
def _mix(
    shared: Float32,
    alone: Float32,
    shared_weights: Float32,
    own_weights: Float32,
    rows: NDArray[np.int64],
    ends: NDArray[np.int32],
    classes: NDArray[np.uint8],
    out: Float32,
) -> None:
    """Add planes with the weights of each run's class."""
    for y in range(out.shape[0]):
        begin = 0
        for run in range(rows[y], rows[y + 1]):
            label, end = classes[run], ends[run]
            target = out[y, begin:end]
            target[:] = 0
            for f in range(shared.shape[0]):
                weight, source = shared_weights[label, f], shared[f, y, begin:end]
                if weight != 0:
                    for x in range(target.size):
                        target[x] += weight * source[x]
            for f in range(alone.shape[0]):
                weight, source = own_weights[label, f], alone[f, y, begin:end]
                for x in range(target.size):
                    target[x] += weight * source[x]
            begin = end


@compiled
def _convolve(padded: Float32, columns: Float32, rows: Float32, line: Float32, out: Float32) -> None:
    """Convolve with a sum of products of columns and rows; the edges of `padded` are used up.

    The number of taps is odd; after the first they are taken two at a time, which halves the traffic of the sums.
    """
    taps, width = columns.shape[1], out.shape[1]
    for y in range(out.shape[0]):
        target = out[y]
        target[:] = 0
        for part in range(columns.shape[0]):
            weight, source = columns[part, 0], padded[y]
            for x in range(line.size):
                line[x] = weight * source[x]
            for t in range(1, taps, 2):
                first, second = columns[part, t], columns[part, t + 1]
                above, below = padded[y + t], padded[y + t + 1]
                for x in range(line.size):
                    line[x] += first * above[x] + second * below[x]
            weight = rows[part, 0]
            for x in range(width):
                target[x] += weight * line[x]
            for t in range(1, taps, 2):
                first, second = rows[part, t], rows[part, t + 1]
                near, far = line[t : t + width], line[t + 1 : t + 1 + width]
                for x in range(width):
                    target[x] += first * near[x] + second * far[x]


@compiled
def _spread(
    coarse: Float32,
    row_weights: Float32,
    first_rows: NDArray[np.int64],
    column_weights: Float32,
    first_columns: NDArray[np.int64],
    wide: Float32,
    out: Float32,
) -> None:
    """Add to `out` the Gaussian bumps that stand on a coarse grid; `wide` is work space (coarse row, x)."""
    for j in range(coarse.shape[0]):
        points = coarse[j]
        for x in range(out.shape[1]):
            total = np.float32(0.0)
            for t in range(column_weights.shape[1]):
                total += column_weights[x, t] * points[first_columns[x] + t]
            wide[j, x] = total
    for y in range(out.shape[0]):
        target = out[y]
        weight, source = row_weights[y, 0], wide[first_rows[y]]
        for x in range(target.size):
            target[x] += weight * source[x]
        for t in range(1, row_weights.shape[1], 2):
            first, second = row_weights[y, t], row_weights[y, t + 1]
            above, below = wide[first_rows[y] + t], wide[first_rows[y] + t + 1]
            for x in range(target.size):
                target[x] += first * above[x] + second * below[x]
