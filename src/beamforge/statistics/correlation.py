"""How normal scores hang together between channels and in space: two structures, each with its own channel matrix.

Scores are the sum of **noise**, correlated over the few pixels that the detector's light spread reaches, and
**drift**, smooth over tens of pixels: scatter, shading, uneven thickness. Both have unit variance and a channel
matrix of their own (a linear model of coregionalisation); the share of drift in the variance belongs to a class and a
channel, because scatter is large beside the noise where the sample is thick and small where it is thin.

Noise has any short stationary correlation: it is white noise under a kernel. Drift is a mixture of Gaussian
correlations, which holds every isotropic correlation that exists in all dimensions (Schoenberg, Ann. Math. 39 (1938)
811), so nothing has to be assumed about its shape.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict
from scipy.signal import correlate2d

from beamforge.arrays import Float64, Float64Field

CorrelationKind = Literal["none", "channels", "space", "both"]

_FULL = 16
"""Up to this many channels a channel matrix is kept whole; beyond, as that many factors and a diagonal."""


class ChannelMatrix(BaseModel):
    """A correlation matrix between channels, as factors plus a diagonal: ``loadings loadingsᵀ + diag(own²)``.

    Attributes
    ----------
    loadings
        (channel, factor).
    own
        (channel,) standard deviation of what a channel shares with no other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    loadings: Float64Field
    own: Float64Field

    @classmethod
    def independent(cls, channels: int) -> Self:
        """Channels that share nothing."""
        return cls(loadings=np.zeros((channels, 0)), own=np.ones(channels))

    @classmethod
    def nearest(cls, covariance: Float64, floor: float = 1e-3) -> Self:
        """Make the nearest valid correlation matrix out of an estimated covariance matrix.

        Negative eigenvalues are cut off, the diagonal is scaled to 1, and each channel keeps at least `floor` of
        its variance to itself, so that the matrix can be inverted.
        """
        values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
        keep = np.flatnonzero(values > 0)[-_FULL:]
        loadings = vectors[:, keep] * np.sqrt(values[keep])
        shared = (loadings**2).sum(1)
        # What the kept factors do not explain of a channel's variance is its own.
        variance = np.maximum(np.maximum(np.diag(covariance), shared / (1.0 - floor)), 1e-12)
        loadings = loadings / np.sqrt(variance)[:, None]
        own = np.sqrt(1.0 - (loadings**2).sum(1))
        if own.size > _FULL:
            return cls(loadings=loadings, own=own)
        # As many factors as channels: a triangle of them needs no random numbers beside.
        whole = loadings @ loadings.T + np.diag(own**2)
        return cls(loadings=np.linalg.cholesky(whole), own=np.zeros(own.size))

    @property
    def matrix(self) -> Float64:
        """The correlation matrix (channel, channel)."""
        return np.asarray(self.loadings @ self.loadings.T + np.diag(self.own**2))


class Correlation(BaseModel):
    """Second-order law of the normal scores.

    Attributes
    ----------
    kind
        What is correlated.
    noise, drift
        Channel matrices of the two structures.
    kernel
        (2 t + 1, 2 t + 1) weights in px that turn white noise into the noise; their squares add up to 1.
    drift_sigmas, drift_weights
        Standard deviations in px of the Gaussian kernels whose noise makes up the drift, and their parts of its
        variance. A sigma s gives the correlation exp(-h²/(4 s²)) at lag h.
    drift_share
        (class, channel) part of the drift in the variance of the scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: CorrelationKind
    noise: ChannelMatrix
    drift: ChannelMatrix
    kernel: Float64Field
    drift_sigmas: Float64Field
    drift_weights: Float64Field
    drift_share: Float64Field

    @classmethod
    def none(cls, classes: int, channels: int) -> Self:
        """Every value is independent of every other."""
        return cls.of_channels(ChannelMatrix.independent(channels), classes, "none")

    @classmethod
    def of_channels(cls, noise: ChannelMatrix, classes: int, kind: CorrelationKind = "channels") -> Self:
        """Channels of a pixel hang together, pixels do not."""
        channels = noise.own.size
        return cls(
            kind=kind,
            noise=noise,
            drift=ChannelMatrix.independent(channels),
            kernel=np.ones((1, 1)),
            drift_sigmas=np.zeros(0),
            drift_weights=np.zeros(0),
            drift_share=np.zeros((classes, channels)),
        )

    @cached_property
    def channels(self) -> Float64:
        """Correlation matrix (channel, channel) of the scores of one pixel, on average over the classes."""
        return np.asarray(np.mean([self.channels_of(label) for label in range(self.drift_share.shape[0])], axis=0))

    def channels_of(self, label: int) -> Float64:
        """Correlation matrix (channel, channel) of the scores of one pixel of a class."""
        noise, drift = self._amplitudes(label)
        return np.asarray(np.outer(noise, noise) * self.noise.matrix + np.outer(drift, drift) * self.drift.matrix)

    def _amplitudes(self, label: int) -> tuple[Float64, Float64]:
        share = self.drift_share[label]
        return np.sqrt(1.0 - share), np.sqrt(share)

    @cached_property
    def noise_correlation(self) -> Float64:
        """Correlation (4 t + 1, 4 t + 1) of the noise by lag (y, x), 1 in the middle."""
        return np.asarray(correlate2d(self.kernel, self.kernel))

    def noise_at(self, lag_y: int, lag_x: int) -> float:
        """Correlation of the noise at a lag in px."""
        middle = self.noise_correlation.shape[0] // 2
        if max(abs(lag_y), abs(lag_x)) > middle:
            return 0.0
        return float(self.noise_correlation[middle + lag_y, middle + lag_x])

    def drift_at(self, distance: ArrayLike) -> Float64:
        """Correlation of the drift at distances in px."""
        return np.asarray(gaussian_mixture(distance, self.drift_sigmas) @ self.drift_weights)

    def at(self, lag_y: int, lag_x: int, label: int) -> Float64:
        """Correlation (channel, channel) between scores of a class a lag in px apart."""
        noise, drift = self._amplitudes(label)
        near, far = self.noise_at(lag_y, lag_x), float(self.drift_at(np.hypot(lag_y, lag_x)))
        return np.asarray(
            near * np.outer(noise, noise) * self.noise.matrix + far * np.outer(drift, drift) * self.drift.matrix
        )


def gaussian_mixture(distance: ArrayLike, sigmas: ArrayLike) -> Float64:
    """Correlations (..., sigma) at distances in px of white noise under Gaussian kernels; sigma 0 leaves it white."""
    h, s = np.asarray(distance, np.float64)[..., None], np.asarray(sigmas, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(s > 0, np.exp(-(h**2) / (4.0 * s**2)), (h == 0).astype(np.float64))
