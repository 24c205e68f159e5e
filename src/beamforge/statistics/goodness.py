"""How well distributions fit samples: Kolmogorov-Smirnov, Wasserstein and Anderson-Darling, for many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from beamforge.arrays import Float64


def kolmogorov_smirnov(cdf: ArrayLike) -> Float64:
    """Largest distance between the empirical and the fitted distribution function.

    Parameters
    ----------
    cdf
        (..., n) fitted probabilities of the sorted sample.

    Returns
    -------
    (...) distances from 0 to 1.
    """
    f = np.asarray(cdf, np.float64)
    n = f.shape[-1]
    above = np.arange(1, n + 1) / n - f
    below = f - np.arange(n) / n
    return np.asarray(np.maximum(above.max(-1), below.max(-1)))


def wasserstein(ordered: ArrayLike, fitted: ArrayLike, scale: ArrayLike = 1.0) -> Float64:
    """Mean distance W1 between a sample and a distribution, over a scale such as the standard deviation.

    Parameters
    ----------
    ordered
        (..., n) sorted sample.
    fitted
        (..., n) the distribution's quantiles at the probabilities (i + ½)/n.
    scale
        (...) what to divide by.
    """
    distance = np.abs(np.asarray(ordered, np.float64) - np.asarray(fitted, np.float64)).mean(-1)
    return np.asarray(distance / np.asarray(scale, np.float64))


def anderson_darling(log_cdf: ArrayLike, log_sf: ArrayLike) -> Float64:
    """Squared distance weighted towards the tails, A².

    Parameters
    ----------
    log_cdf, log_sf
        (..., n) logarithms of the fitted probabilities below and above each value of the sorted sample. A value
        outside the support of the distribution makes A² infinite.

    Source: Anderson & Darling, J. Am. Stat. Assoc. 49 (1954) 765.
    """
    lower, upper = np.asarray(log_cdf, np.float64), np.asarray(log_sf, np.float64)
    n = lower.shape[-1]
    weights = (2.0 * np.arange(n) + 1.0) / n
    return np.asarray(-n - ((lower + upper[..., ::-1]) * weights).sum(-1))
