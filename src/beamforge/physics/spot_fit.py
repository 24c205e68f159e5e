"""Rate, peaks and sizes of white spots from those found in frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from beamforge.arrays import Float64
from beamforge.physics.frame_statistics import Spots
from beamforge.physics.gamma_spots import GammaSpots

_LEAST = 20
"""Spots below which no distribution can be told."""
_ROUNDS = 4
_REPEATS = 2
_LEVELS = np.array([0.5, 0.9, 0.99])
_FASTEST = 1.3
"""Largest factor by which a round corrects: quantiles of few spots scatter."""

FindAgain = Callable[[GammaSpots, int], Sequence[Spots]]
"""Simulates the frames with spots, as often as the number says, and finds them again."""


def fit_spots(found: Sequence[Spots], exposure: float, find_again: FindAgain) -> GammaSpots:
    """Fit the law of the spots that, found again in simulated frames, look like those that were found.

    A spot is found by its peak above the threshold, on top of noise, and with the pixels that rise above it only; so
    what is found differs from what fell on the chip. Four rounds of simulating and correcting undo that.

    Parameters
    ----------
    found
        Spots of each frame.
    exposure
        Megapixels times seconds of all frames.
    find_again
        See `FindAgain`.

    Returns
    -------
    A law with a rate of 0 where fewer than 20 spots were found.
    """
    peaks, sizes = _joined(found)
    if len(peaks) < _LEAST:
        return GammaSpots(rate=0.0)
    # Below the threshold nothing is known; noise may lift a spot over it that is a little weaker.
    lowest = 0.9 * float(np.quantile(peaks, 0.02))
    target, share, rate = _quantiles(peaks), _larger_share(sizes), len(peaks) / exposure
    law = _law(rate, lowest, target, share)
    quantiles, larger = target, share
    for _ in range(_ROUNDS):
        again = find_again(law, _REPEATS)
        peaks_again, sizes_again = _joined(again)
        if len(peaks_again) < _LEAST:
            break
        quantiles = quantiles * _limited(target / _quantiles(peaks_again))
        larger = float(np.clip(larger * _limited(share / max(_larger_share(sizes_again), 1e-3)), 0.0, 0.95))
        rate *= float(_limited(len(peaks) / (len(peaks_again) / _REPEATS)))
        law = _law(rate, lowest, quantiles, larger)
    return law


def _joined(spots: Sequence[Spots]) -> tuple[Float64, Float64]:
    peaks = np.concatenate([frame.peaks for frame in spots])
    return peaks, np.concatenate([frame.sizes for frame in spots]).astype(np.float64)


def _quantiles(peaks: Float64) -> Float64:
    return np.asarray(np.quantile(peaks, _LEVELS))


def _larger_share(sizes: Float64) -> float:
    """Give the parameter of a geometric law of sizes: how often a spot goes on for another pixel."""
    return float(1.0 - 1.0 / sizes.mean())


def _limited(factor: Float64 | float) -> Float64:
    return np.clip(factor, 1.0 / _FASTEST, _FASTEST)


def _law(rate: float, lowest: float, quantiles: Float64, larger: float) -> GammaSpots:
    middle, high, highest = np.maximum.accumulate(np.maximum(quantiles, lowest * np.array([1.01, 1.02, 1.03])))
    return GammaSpots(
        rate=rate, lowest=lowest, amplitude_50=middle, amplitude_90=max(high, 1.001 * middle),
        amplitude_99=max(highest, 1.002 * max(high, 1.001 * middle)),
        size_99=1.0 if larger <= 0.0 else max(1.0, float(np.log(0.01) / np.log(larger))),
    )  # fmt: skip
