"""Estimation of the correlation of normal scores inside labelled regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import nnls

from beamforge.arrays import Float32, Float64, Integers
from beamforge.stack import IGNORE
from beamforge.statistics.autocovariance import Regions, autocovariance, connected_regions, radial_profile
from beamforge.statistics.correlation import ChannelMatrix, Correlation, CorrelationKind, gaussian_mixture
from beamforge.statistics.marginals import Marginals
from beamforge.statistics.samples import spread_whole_numbers

SIGMAS: Float64 = np.array([0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.0, 16.0, 23.0, 32.0, 45.0, 64.0])
"""Ladder of Gaussian kernels in px; from 4 px on they count as drift."""

_DRIFT = SIGMAS >= 4.0
_REACH = 128
_SPECTRUM_CHANNELS = 8
_PIXELS = 4_000_000
_LEAST_DRIFT = 0.01


@dataclass(frozen=True)
class _Scores:
    """What one pass over the channels leaves: a sample of pixels, all block means, and the autocovariance.

    Attributes
    ----------
    pixels
        (channel, n) scores at a random choice of labelled pixels.
    blocks
        (channel, m) mean scores of square blocks that lie inside one class.
    block_labels
        (m,) class of each block.
    products, pairs
        Autocovariance sums over the channels it was computed for.
    """

    pixels: Float32
    blocks: Float32
    block_labels: Integers
    products: Float64
    pairs: Float64


def fit_correlation(
    stack: xr.DataArray, labels: xr.DataArray, marginals: Marginals, kind: CorrelationKind, rng: Generator
) -> Correlation:
    """Estimate the correlation of the normal scores of a measurement.

    The spatial correlation comes from pixel pairs inside the same connected region, the channel matrices of noise and
    drift from the covariance of single pixels and of block means: averaging over a block leaves the drift and takes
    away a known part of the noise.

    Parameters
    ----------
    stack, labels
        (channel, y, x) and (y, x).
    marginals
        The map to normal scores.
    kind
        What to estimate.
    rng
        Random stream for the choice of pixels and the spreading of whole numbers.
    """
    classes, channels = marginals.shape
    if kind == "none":
        return Correlation.none(classes, channels)
    values = np.asarray(labels.values)
    regions = connected_regions(values)
    block = _block_side(values, classes)
    scores = _read(stack, values, marginals, regions if kind != "channels" else [], block, rng)
    covariance = shrunk(_covariance(scores.pixels), scores.pixels.shape[1])
    if kind == "channels":
        return Correlation.of_channels(ChannelMatrix.nearest(covariance), classes)
    kernel, sigmas, weights, share = spatial_structure(scores.products, scores.pairs)
    model = Correlation(
        kind=kind,
        noise=ChannelMatrix.independent(channels),
        drift=ChannelMatrix.independent(channels),
        kernel=kernel,
        drift_sigmas=sigmas,
        drift_weights=weights,
        drift_share=np.full((classes, channels), share),
    )
    return _with_channels(model, scores, covariance, block) if share > 0 else _noise_only(model, covariance)


def _noise_only(model: Correlation, covariance: Float64) -> Correlation:
    if model.kind == "space":
        return model
    return model.model_copy(update={"noise": ChannelMatrix.nearest(covariance)})


def _with_channels(model: Correlation, scores: _Scores, covariance: Float64, block: int) -> Correlation:
    """Tell noise from drift by what survives averaging over blocks."""
    of_noise, of_drift = _variance_of_block_mean(model, block)
    shares = _drift_shares(model, scores, of_noise, of_drift)
    update: dict[str, object] = {"drift_share": shares}
    if model.kind == "both":
        blocks = _covariance(scores.blocks)
        drift = (blocks - of_noise * covariance) / (of_drift - of_noise)
        noise = (of_drift * covariance - blocks) / (of_drift - of_noise)
        update |= {"noise": ChannelMatrix.nearest(noise), "drift": ChannelMatrix.nearest(drift)}
    return model.model_copy(update=update)


def _drift_shares(model: Correlation, scores: _Scores, of_noise: float, of_drift: float) -> Float64:
    """Share of drift (class, channel) from the variance of block means; pulled to the average where blocks are few."""
    average = model.drift_share
    shares = np.array(average)
    for label in range(average.shape[0]):
        chosen = scores.blocks[:, scores.block_labels == label]
        if chosen.shape[1] == 0:
            continue
        found = (np.mean(chosen.astype(np.float64) ** 2, axis=1) - of_noise) / (of_drift - of_noise)
        trust = chosen.shape[1] / (chosen.shape[1] + 20.0)
        shares[label] = np.clip(trust * found + (1.0 - trust) * average[label], 0.0, 0.95)
    return shares


def _variance_of_block_mean(model: Correlation, block: int) -> tuple[float, float]:
    """Variance of the mean over a block of noise, and of drift, of unit variance."""
    lags = np.arange(-block + 1, block)
    triangle = (block - np.abs(lags)) / block**2
    weights = np.outer(triangle, triangle)
    noise = np.array([[model.noise_at(int(y), int(x)) for x in lags] for y in lags])
    drift = model.drift_at(np.hypot(lags[:, None], lags[None, :]))
    return float((weights * noise).sum()), float((weights * drift).sum())


def spatial_structure(products: Float64, pairs: Float64) -> tuple[Float64, Float64, Float64, float]:
    """Split an autocovariance into noise and drift.

    Parameters
    ----------
    products, pairs
        Sums by lag, see `autocovariance`.

    Returns
    -------
    kernel
        Kernel of the noise.
    sigmas, weights
        Gaussian kernels of the drift.
    share
        Part of the drift in the variance, 0 to 1.
    """
    covariance = np.divide(products, pairs, out=np.zeros_like(products), where=pairs > 0)
    middle = covariance.shape[0] // 2
    covariance /= covariance[middle, middle]
    enough = np.where(pairs >= 0.02 * pairs[middle, middle], pairs, 0.0)
    radius, mean, weight = radial_profile(covariance, enough)
    # A ring of n pairs of correlated pixels knows the covariance far worse than 1/sqrt(n); the fourth root keeps the
    # many pairs of the long lags from outvoting the few of the short ones, which matter most.
    root = weight**0.25
    parts, _ = nnls(root[:, None] * gaussian_mixture(radius, SIGMAS), root * mean)
    parts /= parts.sum()
    share = float(parts[_DRIFT].sum())
    if share < _LEAST_DRIFT:
        share, parts = 0.0, np.where(_DRIFT, 0.0, parts)
    used = _DRIFT & (parts > 0)
    weights = parts[used] / share if share > 0 else parts[used]
    kernel = _noise_kernel(covariance, parts, SIGMAS[used], share * weights)
    return kernel, SIGMAS[used], weights, share


def _noise_kernel(covariance: Float64, parts: Float64, sigmas: Float64, drift: Float64) -> Float64:
    """Turn the covariance that the drift leaves over into a kernel for white noise."""
    near = SIGMAS[~_DRIFT][parts[~_DRIFT] > 0.002]
    reach = int(np.ceil(3.0 * near.max(initial=0.0)))
    if reach == 0:
        return np.ones((1, 1))
    middle = covariance.shape[0] // 2
    # Twice the kernel's reach: the correlation of a kernel with itself is twice as wide as the kernel.
    window = slice(middle - 2 * reach, middle + 2 * reach + 1)
    lags = np.arange(-2 * reach, 2 * reach + 1)
    distance = np.hypot(lags[:, None], lags[None, :])
    left = covariance[window, window] - gaussian_mixture(distance, sigmas) @ drift
    left = 0.5 * (left + left[::-1, ::-1]) * np.cos(0.5 * np.pi * np.minimum(distance / (2 * reach + 1), 1.0)) ** 0.5
    # The nearest correlation that exists: no power spectrum may be negative.
    side = 8 * reach + 8
    wrapped = np.zeros((side, side))
    wrapped[np.ix_(lags, lags)] = left
    spectrum = np.maximum(fft.fft2(wrapped).real, 0.0)
    full = fft.ifft2(np.sqrt(spectrum)).real
    near_lags = np.arange(-reach, reach + 1)
    kernel = full[np.ix_(near_lags, near_lags)]
    return np.asarray(kernel / np.sqrt((kernel**2).sum()))


def _block_side(labels: Integers, classes: int) -> int:
    """Take the largest block, up to 8 px, of which the typical class has at least 50."""
    for side in (8, 6, 4):
        found = np.bincount(_blocks(labels, side)[1], minlength=classes)
        if np.median(found) >= 50:
            return side
    return 3


def _blocks(labels: Integers, side: int) -> tuple[NDArray[np.int64], Integers]:
    """Find the blocks inside one class: their numbers among all blocks, and their classes."""
    tiles = _tiled(labels, side)
    least, most = tiles.min(axis=(1, 3)).ravel(), tiles.max(axis=(1, 3)).ravel()
    whole = np.flatnonzero((least == most) & (least != IGNORE))
    return whole, least[whole].astype(np.int64)


def _tiled(plane: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    return plane[: rows * side, : columns * side].reshape(rows, side, columns, side)


def _read(
    stack: xr.DataArray, labels: Integers, marginals: Marginals, regions: Regions, block: int, rng: Generator
) -> _Scores:
    """Pass over the channels once."""
    _, channels = marginals.shape
    labelled = np.flatnonzero(labels.ravel() < marginals.shape[0])
    count = min(labelled.size, max(_PIXELS // channels, 2000))
    chosen = np.sort(rng.choice(labelled, count, replace=False))
    numbers, block_labels = _blocks(labels, block)
    pixels = np.empty((channels, count), np.float32)
    blocks = np.empty((channels, numbers.size), np.float32)
    sums = np.zeros((2, 2 * _REACH + 1, 2 * _REACH + 1))
    for_spectrum = set(np.unique(np.linspace(0, channels - 1, min(channels, _SPECTRUM_CHANNELS)).astype(int)).tolist())
    for number in range(channels):
        scores = class_scores(np.asarray(stack[number].values), labels, marginals, number, rng)
        pixels[number] = scores.ravel()[chosen]
        blocks[number] = _tiled(scores, block).mean(axis=(1, 3)).ravel()[numbers]
        if regions and number in for_spectrum:
            sums += autocovariance(scores, regions, _REACH)
    whole = np.isfinite(blocks).all(axis=0)
    return _Scores(pixels[:, np.isfinite(pixels).all(axis=0)], blocks[:, whole], block_labels[whole], sums[0], sums[1])


def class_scores(
    plane: NDArray[np.generic], labels: Integers, marginals: Marginals, channel: int, rng: Generator
) -> Float32:
    """Normal scores (y, x) of one channel, with mean 0 and variance 1 inside every class; NaN where there is none."""
    scores = np.full(plane.shape, np.nan, np.float32)
    one = marginals.channel(channel)
    for label in range(marginals.shape[0]):
        where = (labels == label) & np.isfinite(plane)
        z = one.to_normal(spread_whole_numbers(plane[where], rng)[None], label)[0]
        scores[where] = (z - z.mean()) / z.std()
    return scores


def _covariance(scores: Float32) -> Float64:
    """Covariance of scores (channel, n) whose mean is known to be 0."""
    return np.asarray((scores @ scores.T).astype(np.float64) / scores.shape[1])


def shrunk(covariance: Float64, count: float) -> Float64:
    """Pull the correlations of a covariance matrix towards 0 by as much as their sampling errors ask for.

    Source: Schäfer & Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32, with the normal law's var(r) = (1-r²)²/n.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    off = correlation[~np.eye(scale.size, dtype=bool)]
    if off.size == 0:
        return np.asarray(correlation)
    intensity = float(np.clip(((1.0 - off**2) ** 2).sum() / count / max((off**2).sum(), 1e-12), 0.0, 1.0))
    shrunk_matrix = (1.0 - intensity) * correlation
    np.fill_diagonal(shrunk_matrix, 1.0)
    return np.asarray(shrunk_matrix)
