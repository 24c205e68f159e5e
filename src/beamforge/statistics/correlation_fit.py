"""Estimation of the correlation of normal scores inside labelled regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64, Integers
from beamforge.stack import IGNORE
from beamforge.statistics.autocovariance import Regions, autocovariance, connected_regions
from beamforge.statistics.correlation import ChannelMatrices, Correlation, CorrelationKind
from beamforge.statistics.marginals import Marginals
from beamforge.statistics.samples import spread_whole_numbers
from beamforge.statistics.spatial_structure import REACH, split_structure

_SPECTRUM_CHANNELS = 8
_VALUES = 20_000_000
_BLOCKS_OF_TRUST = 20.0
_PULL = 0.25


@dataclass(frozen=True)
class _Scores:
    """What one pass over the channels leaves.

    Attributes
    ----------
    pixels
        (channel, n) scores at a random choice of labelled pixels, as many in every class as it has or as fit.
    pixel_labels
        (n,) their classes.
    blocks
        (channel, m) mean scores of square blocks that lie inside one class.
    block_labels
        (m,) their classes.
    products, pairs
        Autocovariance sums, see `autocovariance`, over some of the channels, no class outweighing the others.
    """

    pixels: Float32
    pixel_labels: Integers
    blocks: Float32
    block_labels: Integers
    products: Float64
    pairs: Float64


def fit_correlation(
    stack: xr.DataArray, labels: xr.DataArray, marginals: Marginals, kind: CorrelationKind, rng: Generator
) -> Correlation:
    """Estimate the correlation of the normal scores of a measurement.

    The spatial correlation comes from pixel pairs inside the same connected region, the channel matrices of noise and
    drift from the covariances of single pixels and of block means: averaging over a block leaves the drift and takes
    away a known part of the noise.

    Parameters
    ----------
    stack, labels
        (channel, y, x) and (y, x).
    marginals
        The map to normal scores.
    kind
        What to estimate, other than ``none``.
    rng
        Random stream for the choice of pixels and the spreading of whole numbers.
    """
    classes, channels = marginals.shape
    values = np.asarray(labels.values)
    block = _block_side(values, classes)
    scores = _read(stack, values, marginals, connected_regions(values) if kind != "channels" else [], block, rng)
    pixels = _class_covariances(scores.pixels, scores.pixel_labels, classes)
    if kind == "channels":
        return Correlation.of_channels(ChannelMatrices.nearest(pixels))
    structure = split_structure(scores.products, scores.pairs)
    independent = ChannelMatrices.independent(classes, channels)
    model = Correlation(
        kind=kind,
        noise=ChannelMatrices.nearest(pixels) if kind == "both" else independent,
        drift=independent,
        kernel=structure.kernel,
        drift_sigmas=structure.sigmas,
        drift_weights=structure.weights,
        drift_share=np.full((classes, channels), structure.share),
    )
    return _with_drift(model, scores, pixels, block) if structure.share > 0 else model


def _with_drift(model: Correlation, scores: _Scores, pixels: Float64, block: int) -> Correlation:
    """Tell noise from drift, class by class, by what survives averaging over blocks."""
    of_noise, of_drift = _variance_of_block_mean(model, block)
    update: dict[str, object] = {"drift_share": _drift_shares(model, scores, of_noise, of_drift)}
    if model.kind == "both":
        blocks = _class_covariances(scores.blocks, scores.block_labels, pixels.shape[0])
        drift = (blocks - of_noise * pixels) / (of_drift - of_noise)
        noise = (of_drift * pixels - blocks) / (of_drift - of_noise)
        # Where a class hardly drifts its matrix is all sampling error: a part of the average decides then.
        drift = drift + _PULL * drift.mean(axis=0)
        update |= {"noise": ChannelMatrices.nearest(noise), "drift": ChannelMatrices.nearest(drift)}
    return model.model_copy(update=update)


def _drift_shares(model: Correlation, scores: _Scores, of_noise: float, of_drift: float) -> Float64:
    """Share of drift (class, channel) from the variance of block means; pulled to the average where blocks are few."""
    average = model.drift_share
    shares = np.array(average)
    for label in range(average.shape[0]):
        chosen = scores.blocks[:, scores.block_labels == label].astype(np.float64)
        if chosen.shape[1] > 0:
            found = (np.mean(chosen**2, axis=1) - of_noise) / (of_drift - of_noise)
            trust = chosen.shape[1] / (chosen.shape[1] + _BLOCKS_OF_TRUST)
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
    classes, channels = marginals.shape
    chosen = _choice(labels, classes, max(_VALUES // (channels * classes), 500), rng)
    numbers, block_labels = _blocks(labels, block)
    pixels = np.empty((channels, chosen.size), np.float32)
    blocks = np.empty((channels, numbers.size), np.float32)
    sums = np.zeros((2, 2 * REACH + 1, 2 * REACH + 1))
    for_spectrum = set(np.linspace(0, channels - 1, min(channels, _SPECTRUM_CHANNELS)).astype(int).tolist())
    for number in range(channels):
        scores = class_scores(np.asarray(stack[number].values), labels, marginals, number, rng)
        pixels[number] = scores.ravel()[chosen]
        blocks[number] = _tiled(scores, block).mean(axis=(1, 3)).ravel()[numbers]
        if number in for_spectrum:
            sums += _balanced_autocovariance(scores, regions, marginals.counts[:, number])
    sound, whole = np.isfinite(pixels).all(axis=0), np.isfinite(blocks).all(axis=0)
    pixel_labels = labels.ravel()[chosen].astype(np.int64)
    return _Scores(pixels[:, sound], pixel_labels[sound], blocks[:, whole], block_labels[whole], sums[0], sums[1])


def _choice(labels: Integers, classes: int, most: int, rng: Generator) -> NDArray[np.int64]:
    """Choose up to so many pixels of every class."""
    flat = labels.ravel()
    positions = [np.flatnonzero(flat == label) for label in range(classes)]
    return np.sort(np.concatenate([p if p.size <= most else rng.choice(p, most, replace=False) for p in positions]))


def _balanced_autocovariance(scores: Float32, regions: Regions, counts: Integers) -> Float64:
    """Sum products and pairs (2, lag, lag) over classes; one larger than the typical class counts as the typical."""
    sums = np.zeros((2, 2 * REACH + 1, 2 * REACH + 1))
    weights = np.minimum(1.0, np.median(counts) / counts)
    for label, weight in enumerate(weights):
        own = [region for region in regions if region[0] == label]
        if own:
            sums += weight * np.stack(autocovariance(scores, own, REACH))
    return sums


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


def _class_covariances(scores: Float32, labels: Integers, classes: int) -> Float64:
    """Covariances (class, channel, channel) of scores of mean 0, each pulled to the average by its sampling error."""
    groups = [scores[:, labels == label] for label in range(classes)]
    found = np.stack([_covariance(group) if group.shape[1] > 1 else np.eye(len(scores)) for group in groups])
    counts = np.array([max(group.shape[1], 2) for group in groups])
    average = shrunk(found.mean(axis=0), float(counts.sum()), np.diag(np.diag(found.mean(axis=0))))
    return np.stack([shrunk(one, float(count), average) for one, count in zip(found, counts, strict=True)])


def _covariance(scores: Float32) -> Float64:
    return np.asarray((scores @ scores.T).astype(np.float64) / scores.shape[1])


def shrunk(covariance: Float64, count: float, target: Float64) -> Float64:
    """Pull the correlations of a covariance matrix towards a target's by as much as their sampling errors ask for.

    Source: Schäfer & Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32, with the normal law's var(r) = (1-r²)²/n.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    wanted = target / np.sqrt(np.outer(np.diag(target), np.diag(target)))
    distance = float(((correlation - wanted) ** 2).sum())
    error = float(((1.0 - correlation**2) ** 2).sum()) / count
    intensity = min(1.0, error / distance) if distance > 0 else 1.0
    return np.asarray(((1.0 - intensity) * correlation + intensity * wanted) * np.outer(scale, scale))
