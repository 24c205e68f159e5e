"""How normal scores hang together between channels and in space: two structures, each with its own channel matrices.

Scores are the sum of **noise**, correlated over the few pixels that the detector's light spread and read-out reach,
and **drift**, smooth over tens of pixels: scatter, shading, uneven thickness. Both have unit variance and channel
matrices of their own (a linear model of coregionalisation). The channel matrices and the share of drift in the
variance belong to a class: where a sample is thick, the frame it was measured in dominates the noise of every ratio
and scatter is large beside it.

Noise has any short stationary correlation: it is white noise under a kernel. Drift is a mixture of Gaussian
correlations, which holds every isotropic correlation that exists in all dimensions (Schoenberg, Ann. Math. 39 (1938)
811), so nothing has to be assumed about its shape.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, model_validator
from scipy.signal import correlate2d

from beamforge.arrays import Float64, Float64Field

CorrelationKind = Literal["none", "channels", "space", "both"]

_UNIT = 1e-6
"""How far sums that are 1 may be off: compiled loops trust these numbers and check nothing."""

FACTORS = 8
"""Up to this many channels a channel matrix is kept whole; beyond, as that many factors and a diagonal."""


class ChannelMatrices(BaseModel):
    """A correlation matrix between channels for every class: ``loadings loadingsᵀ + diag(own²)``.

    Attributes
    ----------
    loadings
        (class, channel, factor).
    own
        (class, channel) standard deviation of what a channel shares with no other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    loadings: Float64Field
    own: Float64Field

    @model_validator(mode="after")
    def _of_unit_variance(self) -> Self:
        if self.loadings.ndim != 3 or self.loadings.shape[:2] != self.own.shape:
            raise ValueError(f"loadings {self.loadings.shape} do not fit own {self.own.shape} (class, channel)")
        # Written so that NaN is refused too.
        if not (np.abs((self.loadings**2).sum(axis=2) + self.own**2 - 1.0) < _UNIT).all():
            raise ValueError("the squares of loadings and own must add up to 1 for every class and channel")
        return self

    @classmethod
    def independent(cls, classes: int, channels: int) -> Self:
        """Channels that share nothing."""
        return cls(loadings=np.zeros((classes, channels, 0)), own=np.ones((classes, channels)))

    @classmethod
    def nearest(cls, covariances: Float64, floor: float = 1e-3) -> Self:
        """Make the nearest valid correlation matrices out of estimated covariance matrices.

        Negative eigenvalues are cut off, the diagonal is scaled to 1, and each channel keeps at least `floor` of
        its variance to itself, so that the matrices can be inverted.

        Parameters
        ----------
        covariances
            (class, channel, channel); symmetric, otherwise anything.
        floor
            Part of the variance, above 0.
        """
        pairs = [_factors(covariance, floor) for covariance in covariances]
        loadings, own = (np.stack(parts) for parts in zip(*pairs, strict=True))
        if own.shape[1] <= FACTORS:
            # As many factors as channels: a triangle of them needs no random numbers of a channel's own.
            whole = loadings @ loadings.swapaxes(1, 2) + np.eye(own.shape[1]) * own[:, None] ** 2
            return cls(loadings=np.linalg.cholesky(whole), own=np.zeros_like(own))
        return cls(loadings=_aligned(loadings, _factors(covariances.mean(axis=0), floor)[0]), own=own)

    def matrix(self, label: int) -> Float64:
        """Give the correlation matrix (channel, channel) of a class."""
        loadings = self.loadings[label]
        return np.asarray(loadings @ loadings.T + np.diag(self.own[label] ** 2))


def _factors(covariance: Float64, floor: float) -> tuple[Float64, Float64]:
    """Take the strongest factors of a covariance matrix; what they leave of a channel's variance is its own."""
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    strongest = slice(-min(FACTORS, values.size), None)
    loadings = vectors[:, strongest] * np.sqrt(np.maximum(values[strongest], 0.0))
    shared = (loadings**2).sum(1)
    variance = np.maximum(np.maximum(np.diag(covariance), shared / (1.0 - floor)), 1e-12)
    loadings = loadings / np.sqrt(variance)[:, None]
    return loadings, np.sqrt(1.0 - (loadings**2).sum(1))


def _aligned(loadings: Float64, target: Float64) -> Float64:
    """Rotate the factors of every class towards common ones, so that noise runs on across edges between classes."""
    u, _, v = np.linalg.svd(loadings.swapaxes(1, 2) @ target)
    return np.asarray(loadings @ (u @ v))


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
    noise: ChannelMatrices
    drift: ChannelMatrices
    kernel: Float64Field
    drift_sigmas: Float64Field
    drift_weights: Float64Field
    drift_share: Float64Field

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        shapes = {self.noise.own.shape, self.drift.own.shape, self.drift_share.shape}
        if len(shapes) > 1:
            raise ValueError(f"noise, drift and drift_share are of different classes and channels: {sorted(shapes)}")
        rows, columns = self.kernel.shape if self.kernel.ndim == 2 else (0, 0)
        if rows != columns or rows % 2 == 0 or not abs((self.kernel**2).sum() - 1.0) < _UNIT:
            raise ValueError(
                f"the kernel of shape {self.kernel.shape} must be square with an odd side, its squares adding up to 1"
            )
        sigmas, weights = self.drift_sigmas, self.drift_weights
        if sigmas.ndim != 1 or sigmas.shape != weights.shape or not (np.isfinite(sigmas) & (sigmas > 0)).all():
            raise ValueError("drift_sigmas must be positive lengths in px, one for each of drift_weights")
        if not ((weights >= 0).all() and (weights.size == 0 or abs(weights.sum() - 1.0) < _UNIT)):
            raise ValueError("drift_weights must not be negative and must add up to 1")
        if not ((self.drift_share >= 0) & (self.drift_share <= 1)).all():
            raise ValueError("drift_share must lie between 0 and 1")
        return self

    @classmethod
    def none(cls, classes: int, channels: int) -> Self:
        """Every value is independent of every other."""
        return cls.of_channels(ChannelMatrices.independent(classes, channels), "none")

    @classmethod
    def of_channels(cls, noise: ChannelMatrices, kind: CorrelationKind = "channels") -> Self:
        """Channels of a pixel hang together, pixels do not."""
        return cls(
            kind=kind,
            noise=noise,
            drift=ChannelMatrices.independent(*noise.own.shape),
            kernel=np.ones((1, 1)),
            drift_sigmas=np.zeros(0),
            drift_weights=np.zeros(0),
            drift_share=np.zeros_like(noise.own),
        )

    @property
    def has_drift(self) -> bool:
        """Whether any class drifts in any channel."""
        return self.drift_sigmas.size > 0 and bool((self.drift_share > 0).any())

    @cached_property
    def channels(self) -> Float64:
        """Correlation matrix (channel, channel) of the scores of one pixel, on average over the classes."""
        return np.asarray(np.mean([self.channels_of(label) for label in range(self.drift_share.shape[0])], axis=0))

    def channels_of(self, label: int) -> Float64:
        """Correlation matrix (channel, channel) of the scores of one pixel of a class."""
        return self.at(0, 0, label)

    def at(self, lag_y: int, lag_x: int, label: int) -> Float64:
        """Correlation (channel, channel) between scores of a class a lag in px apart."""
        share = self.drift_share[label]
        noise, drift = np.sqrt(np.outer(1.0 - share, 1.0 - share)), np.sqrt(np.outer(share, share))
        near, far = self.noise_at(lag_y, lag_x), float(self.drift_at(np.hypot(lag_y, lag_x)))
        return np.asarray(near * noise * self.noise.matrix(label) + far * drift * self.drift.matrix(label))

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


def gaussian_mixture(distance: ArrayLike, sigmas: ArrayLike) -> Float64:
    """Correlations (..., sigma) at distances in px of white noise under Gaussian kernels; sigma 0 leaves it white."""
    h, s = np.asarray(distance, np.float64)[..., None], np.asarray(sigmas, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(s > 0, np.exp(-(h**2) / (4.0 * s**2)), (h == 0).astype(np.float64))
