"""The curves of Johnson's system, evaluated for arrays of parameters at once.

``z = gamma + eta * tau((x - epsilon) / lambda)`` is standard normal; tau is the identity (SN), ``ln u`` (SL),
``asinh u`` (SU) or ``ln(u / (1 - u))`` (SB). A log-normal curve with its tail to the left is an SL with a negative
lambda and a negative eta, so that z always grows with x.

Source: Johnson, Biometrika 36 (1949) 149.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from beamforge.arrays import Float64
from beamforge.statistics.compiled import elementwise

_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class Family(IntEnum):
    """The four families; the number is their code in arrays."""

    SN = 0
    SL = 1
    SU = 2
    SB = 3


_SN, _SL, _SU = int(Family.SN), int(Family.SL), int(Family.SU)


@elementwise("float64(int64, float64, float64, float64, float64, float64)")
def _to_normal(family: int, gamma: float, eta: float, epsilon: float, lambda_: float, x: float) -> float:
    u = (x - epsilon) / lambda_
    if family == _SN:
        return gamma + eta * u
    if family == _SU:
        return gamma + eta * math.asinh(u)
    if u <= 0.0:
        return -math.inf if eta > 0.0 else math.inf
    if family == _SL:
        return gamma + eta * math.log(u)
    return gamma + eta * (math.log(u) - math.log1p(-u)) if u < 1.0 else math.inf


@elementwise("float64(int64, float64, float64, float64, float64, float64)")
def _from_normal(family: int, gamma: float, eta: float, epsilon: float, lambda_: float, z: float) -> float:
    t = (z - gamma) / eta
    if family == _SN:
        return epsilon + lambda_ * t
    if family == _SU:
        return epsilon + lambda_ * math.sinh(t)
    if family == _SL:
        return epsilon + lambda_ * math.exp(t)
    return epsilon + lambda_ / (1.0 + math.exp(-t))


@elementwise("float64(int64, float64, float64, float64, float64)")
def _log_slope(family: int, eta: float, epsilon: float, lambda_: float, x: float) -> float:
    """Logarithm of dz/dx; minus infinity outside the support."""
    u = (x - epsilon) / lambda_
    scale = math.log(eta / lambda_)
    if family == _SN:
        return scale
    if family == _SU:
        return scale - 0.5 * math.log1p(u * u)
    if u <= 0.0:
        return -math.inf
    if family == _SL:
        return scale - math.log(u)
    return scale - math.log(u) - math.log1p(-u) if u < 1.0 else -math.inf


@dataclass(frozen=True)
class Johnson:
    """Curves of Johnson's system, one for each element of its parameter arrays.

    Values handed to the methods have the parameters' shape followed by any number of axes, or a single axis that
    every curve is evaluated over.

    Attributes
    ----------
    family
        Codes of `Family`.
    gamma, eta, epsilon, lambda_
        Parameters in the standard form; epsilon and lambda carry the unit of the values.
    """

    family: NDArray[np.int64]
    gamma: Float64
    eta: Float64
    epsilon: Float64
    lambda_: Float64

    @classmethod
    def of(cls, family: ArrayLike, gamma: ArrayLike, eta: ArrayLike, epsilon: ArrayLike, lambda_: ArrayLike) -> Self:
        """Build curves from anything that broadcasts together."""
        numbers = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (family, gamma, eta, epsilon, lambda_)))
        return cls(numbers[0].astype(np.int64), *(np.array(v) for v in numbers[1:]))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameter arrays."""
        return self.family.shape

    def __getitem__(self, index: Any) -> Johnson:
        return Johnson(*(np.asarray(v[index]) for v in self._parameters()))

    def _parameters(self) -> tuple[NDArray[np.int64], Float64, Float64, Float64, Float64]:
        return self.family, self.gamma, self.eta, self.epsilon, self.lambda_

    def _along(self, values: ArrayLike) -> tuple[list[NDArray[Any]], Float64]:
        """Give parameters and values shapes that broadcast."""
        array = np.asarray(values, np.float64)
        leading = array.shape[: len(self.shape)] == self.shape
        extra = array.ndim - len(self.shape) if leading else array.ndim
        return [v.reshape(self.shape + (1,) * extra) for v in self._parameters()], array

    def reshaped(self, shape: tuple[int, ...]) -> Johnson:
        """Give the same curves in arrays of another shape."""
        return Johnson.of(*(v.reshape(shape) for v in self._parameters()))

    def where(self, condition: NDArray[np.bool_], other: Johnson) -> Johnson:
        """Take the curves of `self` where the condition holds and those of `other` elsewhere."""
        pairs = zip(self._parameters(), other._parameters(), strict=True)
        return Johnson(*(np.where(condition, a, b) for a, b in pairs))

    def to_normal(self, x: ArrayLike) -> Float64:
        """Map values to normal scores; plus or minus infinity outside the support."""
        parameters, values = self._along(x)
        return np.asarray(_to_normal(*parameters, values))

    def from_normal(self, z: ArrayLike) -> Float64:
        """Map normal scores to values."""
        parameters, scores = self._along(z)
        return np.asarray(_from_normal(*parameters, scores))

    def cdf(self, x: ArrayLike) -> Float64:
        """Cumulative probability."""
        return np.asarray(ndtr(self.to_normal(x)))

    def log_cdf(self, x: ArrayLike) -> Float64:
        """Logarithm of the cumulative probability, exact in the lower tail."""
        return np.asarray(log_ndtr(self.to_normal(x)))

    def log_sf(self, x: ArrayLike) -> Float64:
        """Logarithm of the probability above x, exact in the upper tail."""
        return np.asarray(log_ndtr(-self.to_normal(x)))

    def quantile(self, p: ArrayLike) -> Float64:
        """Values below which the probabilities p lie."""
        return self.from_normal(ndtri(np.asarray(p, np.float64)))

    def log_pdf(self, x: ArrayLike) -> Float64:
        """Logarithm of the density, per unit of the values."""
        parameters, values = self._along(x)
        family, _, eta, epsilon, lambda_ = parameters
        z = _to_normal(*parameters, values)
        return np.asarray(-0.5 * z * z - _LOG_ROOT_TWO_PI + _log_slope(family, eta, epsilon, lambda_, values))

    def pdf(self, x: ArrayLike) -> Float64:
        """Density, per unit of the values."""
        return np.asarray(np.exp(self.log_pdf(x)))
