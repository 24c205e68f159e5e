"""Autocovariance of scores on regions of any shape, from pairs of pixels inside the same region only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from beamforge.arrays import Float32, Float64, Integers
from beamforge.stack import IGNORE

Regions = list[tuple[int, tuple[slice, slice], NDArray[np.bool_]]]
"""Class number, bounding box and mask inside it of every connected region."""


def connected_regions(labels: Integers, least: int = 16) -> Regions:
    """Find the connected regions of every class with at least `least` pixels."""
    regions: Regions = []
    for label in np.unique(labels):
        if label == IGNORE:
            continue
        numbers, count = ndimage.label(labels == label)
        sizes = np.bincount(numbers.ravel(), minlength=count + 1)
        for number, box in enumerate(ndimage.find_objects(numbers), start=1):
            if sizes[number] >= least:
                regions.append((int(label), box, numbers[box] == number))
    return regions


def autocovariance(scores: Float32, regions: Regions, reach: int) -> tuple[Float64, Float64]:
    """Sum products of pixel pairs over regions, for all lags at once.

    Parameters
    ----------
    scores
        (y, x); pixels that are not finite make no pair.
    regions
        Regions that pairs may not leave.
    reach
        Largest lag in px, along y and along x.

    Returns
    -------
    products, pairs
        (2 reach + 1, 2 reach + 1) sum of products and number of pairs by lag (y, x), lag 0 in the middle. Their ratio
        is the autocovariance.

    Notes
    -----
    By the Fourier transform of each region padded with zeros, so that nothing wraps around.
    """
    products = np.zeros((2 * reach + 1, 2 * reach + 1))
    pairs = np.zeros_like(products)
    for _, box, mask in regions:
        values = scores[box].astype(np.float64)
        valid = mask & np.isfinite(values)
        near = [min(reach, side - 1) for side in valid.shape]
        window = tuple(slice(reach - n, reach + n + 1) for n in near)
        products[window] += _correlate(np.where(valid, values, 0.0), near)
        pairs[window] += np.rint(_correlate(valid.astype(np.float64), near))
    return products, pairs


def _correlate(values: Float64, near: list[int]) -> Float64:
    """Correlate an array with itself, for lags up to `near` along each axis."""
    shape = [fft.next_fast_len(side + n, real=True) for side, n in zip(values.shape, near, strict=True)]
    power = np.abs(fft.rfft2(values, shape)) ** 2
    lags = fft.irfft2(power, shape)
    rows, columns = (np.arange(-n, n + 1) for n in near)
    return np.asarray(lags[np.ix_(rows, columns)])


def radial_profile(covariance: Float64, pairs: Float64) -> tuple[Float64, Float64, Float64]:
    """Average an autocovariance over rings of lags.

    Returns
    -------
    radius, mean, weight
        (ring,) mean length of the lags in px, mean covariance weighted by pairs, and number of pairs; rings without
        pairs are left out.
    """
    reach = covariance.shape[0] // 2
    distance = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    ring = np.rint(distance).astype(np.int64).ravel()
    inside = (ring <= reach) & (pairs.ravel() > 0)
    ring, weight = ring[inside], pairs.ravel()[inside]
    total = np.bincount(ring, weight)
    present = total > 0
    radius = np.bincount(ring, weight * distance.ravel()[inside])[present] / total[present]
    mean = np.bincount(ring, weight * covariance.ravel()[inside])[present] / total[present]
    return radius, mean, np.asarray(total[present], np.float64)
