"""Distributions of grey values per class and channel, trimmed to the measured range: one interface, two kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from beamforge.arrays import Float64, Float64Field, Int64Field
from beamforge.statistics.goodness import kolmogorov_smirnov, wasserstein
from beamforge.statistics.johnson import Family, Johnson, fit_likelihood, fit_moments, fit_quantiles, refine
from beamforge.statistics.samples import EVEN_QUANTILES, KNOTS, Summary, extreme_score

FamilyName = Literal["SN", "SL", "SU", "SB"]
Method = Literal["quantiles", "moments", "likelihood"]

_LOG_ROOT_TWO_PI = 0.5 * np.log(2.0 * np.pi)
_POOR_DISTANCE = 0.02
_EVERY = 4


class Marginals(BaseModel, ABC):
    """Distribution of every class in every channel.

    The law is the fitted curve trimmed to the measured range: nothing is simulated that lies outside of what was
    seen. Scores are normal under that law and never beyond the score of the sample's extremes, so that they stay
    finite for any value.

    Attributes
    ----------
    counts
        (class, channel) number of pixels behind each fit.
    low, high
        (class, channel) measured range.
    ks
        (class, channel) Kolmogorov-Smirnov distance of the fit.
    w1
        (class, channel) Wasserstein distance of the fit over the sample's standard deviation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    counts: Int64Field
    low: Float64Field
    high: Float64Field
    ks: Float64Field
    w1: Float64Field

    @model_validator(mode="after")
    def _of_one_shape(self) -> Self:
        shapes = {name: getattr(self, name).shape for name in ("low", "counts", "high", "ks", "w1")}
        if self.low.ndim != 2 or len(set(shapes.values())) > 1:
            raise ValueError(f"arrays must be (class, channel) of one size, got {shapes}")
        if not (self.counts >= 2).all():
            raise ValueError("counts must be at least 2")
        if not (np.isfinite(self.low) & np.isfinite(self.high) & (self.low < self.high)).all():
            raise ValueError("low must be below high, both finite")
        return self

    @abstractmethod
    def _value(self, z: Float64, label: int | None) -> Float64:
        """Map scores to values by the untrimmed curves."""

    @abstractmethod
    def _score(self, x: Float64, label: int | None) -> Float64:
        """Map values to scores by the untrimmed curves."""

    @abstractmethod
    def _log_density(self, x: Float64, label: int | None) -> Float64:
        """Logarithm of the untrimmed density."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of classes and channels."""
        return self.low.shape[0], self.low.shape[1]

    @abstractmethod
    def channel(self, number: int) -> Self:
        """Give the marginals of one channel alone."""

    def _common(self, number: int) -> dict[str, Any]:
        """Give the arrays that all kinds have, of one channel."""
        names = ("counts", "low", "high", "ks", "w1")
        return {name: getattr(self, name)[:, number : number + 1] for name in names}

    @cached_property
    def _ends(self) -> tuple[Float64, Float64]:
        """Untrimmed scores (class, channel) of the measured range."""
        return self._score(self.low[..., None], None)[..., 0], self._score(self.high[..., None], None)[..., 0]

    def _trim(self, label: int | None) -> tuple[Float64, Float64, Float64]:
        """Probability below, above and inside the measured range, with an axis for values."""
        below, above = (ndtr(sign * end[..., None]) for sign, end in zip((1.0, -1.0), self._ends, strict=True))
        if label is not None:
            below, above = below[label], above[label]
        return below, above, 1.0 - below - above

    def from_normal(self, z: ArrayLike, label: int | None = None) -> Float64:
        """Map normal scores to values.

        Parameters
        ----------
        z
            (channel, n), or (class, channel, n) without a label; a single axis goes to all.
        label
            Class number.
        """
        below, above, inside = self._trim(label)
        scores = np.asarray(z, np.float64)
        lower, upper = ndtri(below + ndtr(scores) * inside), -ndtri(above + ndtr(-scores) * inside)
        values = self._value(np.where(scores < 0, lower, upper), label)
        low, high = (self.low, self.high) if label is None else (self.low[label], self.high[label])
        return np.asarray(np.clip(values, low[..., None], high[..., None]))

    def to_normal(self, values: ArrayLike, label: int | None = None) -> Float64:
        """Map values to normal scores; a value outside the measured range counts as the sample's extreme.

        Parameters
        ----------
        values
            (channel, n), or (class, channel, n) without a label.
        label
            Class number.
        """
        below, above, inside = self._trim(label)
        raw = self._score(np.asarray(values, np.float64), label)
        lower, upper = (ndtr(raw) - below) / inside, (ndtr(-raw) - above) / inside
        scores = np.where(lower < upper, ndtri(np.clip(lower, 0, 1)), -ndtri(np.clip(upper, 0, 1)))
        limit = extreme_score(self.counts if label is None else self.counts[label])[..., None]
        return np.asarray(np.clip(scores, -limit, limit))

    def quantile(self, p: ArrayLike) -> Float64:
        """Values (class, channel, len(p)) below which the probabilities p (n,) lie."""
        z = ndtri(np.asarray(p, np.float64))
        return self.from_normal(np.broadcast_to(z, (*self.shape, z.size)))

    def log_density(self, values: ArrayLike, label: int) -> Float64:
        """Logarithm of the density (channel, n) of values (channel, n) under a class, finite for any finite value.

        To the trimmed law is added the weight of one pixel, spread over the class's range with the tails of a Cauchy
        curve: what no class has shown then goes to the nearest class instead of nowhere.
        """
        x = np.asarray(values, np.float64)
        *_, inside = self._trim(label)
        low, high = self.low[label][:, None], self.high[label][:, None]
        inner = np.where((x >= low) & (x <= high), self._log_density(x, label) - np.log(inside), -np.inf)
        width = high - low
        stray = -np.log(np.pi * width) - np.log1p(((x - 0.5 * (low + high)) / width) ** 2)
        weight = 1.0 / (self.counts[label][:, None] + 1.0)
        return np.asarray(np.logaddexp(np.log1p(-weight) + inner, np.log(weight) + stray))


def _even_probabilities() -> Float64:
    return np.asarray((np.arange(EVEN_QUANTILES) + 0.5) / EVEN_QUANTILES)


class JohnsonMarginals(Marginals):
    """Johnson curves.

    Attributes
    ----------
    family
        SN, SL, SU or SB by class and channel.
    gamma, eta, epsilon, lambda_
        (class, channel) parameters.
    """

    marginal: Literal["johnson"] = "johnson"
    family: tuple[tuple[FamilyName, ...], ...]
    gamma: Float64Field
    eta: Float64Field
    epsilon: Float64Field
    lambda_: Float64Field

    @model_validator(mode="after")
    def _growing_curves(self) -> Self:
        parameters = (self.gamma, self.eta, self.epsilon, self.lambda_)
        sizes = {self.shape, *(p.shape for p in parameters)}
        if len(sizes) > 1 or [len(row) for row in self.family] != [self.shape[1]] * self.shape[0]:
            raise ValueError(f"family, gamma, eta, epsilon and lambda_ must be of shape {self.shape} (class, channel)")
        if not (np.isfinite(parameters).all() and (self.eta * self.lambda_ > 0).all()):
            raise ValueError("parameters must be finite, eta and lambda_ not 0 and of one sign")
        return self

    @classmethod
    def fit(cls, summary: Summary, method: Method = "quantiles") -> Self:
        """Fit by quantiles, moments or likelihood.

        Fits by quantiles or moments that miss the sample by more than its sampling error, and by more than 0.02 in
        probability, are fitted again by likelihood; the nearer of the two (Kolmogorov-Smirnov) is kept.
        """
        if method == "moments":
            curves = fit_moments(*np.moveaxis(summary.moments, -1, 0))
        else:
            curves = fit_quantiles(summary.four, summary.counts, summary.low, summary.high)
            few = slice(_EVERY // 2, None, _EVERY)
            curves = refine(curves, summary.even[..., few], _even_probabilities()[few], summary.low, summary.high)
        ks = _distance(curves, summary.even)
        limit = np.maximum(_POOR_DISTANCE, 1.36 / np.sqrt(summary.counts))
        again = np.ones_like(ks, dtype=bool) if method == "likelihood" else ~(ks <= limit)
        curves = _polished(curves, summary, again, ks if method != "likelihood" else np.full_like(ks, np.inf))
        return cls(
            counts=summary.counts,
            low=summary.low,
            high=summary.high,
            ks=_distance(curves, summary.even),
            w1=wasserstein(summary.even, curves.quantile(_even_probabilities()), summary.even.std(-1)),
            family=tuple(tuple(Family(int(code)).name for code in row) for row in curves.family),
            gamma=curves.gamma,
            eta=curves.eta,
            epsilon=curves.epsilon,
            lambda_=curves.lambda_,
        )

    def channel(self, number: int) -> Self:
        """Give the marginals of one channel alone."""
        names = ("gamma", "eta", "epsilon", "lambda_")
        of_johnson = {name: getattr(self, name)[:, number : number + 1] for name in names}
        family = tuple((row[number],) for row in self.family)
        return type(self)(**self._common(number), **of_johnson, family=family)

    @cached_property
    def curves(self) -> Johnson:
        """The untrimmed curves (class, channel)."""
        codes = np.array([[Family[name] for name in row] for row in self.family])
        return Johnson.of(codes, self.gamma, self.eta, self.epsilon, self.lambda_)

    def _of(self, label: int | None) -> Johnson:
        return self.curves if label is None else self.curves[label]

    def _value(self, z: Float64, label: int | None) -> Float64:
        return self._of(label).from_normal(z)

    def _score(self, x: Float64, label: int | None) -> Float64:
        return self._of(label).to_normal(x)

    def _log_density(self, x: Float64, label: int | None) -> Float64:
        return self._of(label).log_pdf(x)


def _distance(curves: Johnson, even: Float64) -> Float64:
    """Kolmogorov-Smirnov distance on quantiles, less the half step that stands between them."""
    return np.asarray(np.maximum(kolmogorov_smirnov(curves.cdf(even)) - 0.5 / EVEN_QUANTILES, 0.0))


def _polished(curves: Johnson, summary: Summary, again: Any, ks: Float64) -> Johnson:
    parameters = [np.array(v) for v in (curves.family, curves.gamma, curves.eta, curves.epsilon, curves.lambda_)]
    for place in zip(*np.nonzero(again), strict=True):
        # The extremes stand in for the outermost quantiles, so that no curve is chosen that excludes data.
        sample = np.concatenate(([summary.low[place]], summary.even[place][1:-1], [summary.high[place]]))
        curve, _ = fit_likelihood(sample, float(summary.counts[place]), curves[place])
        if not _distance(curve, summary.even[place]) >= ks[place]:
            for array, value in zip(
                parameters, (curve.family, curve.gamma, curve.eta, curve.epsilon, curve.lambda_), strict=True
            ):
                array[place] = value
    return Johnson.of(*parameters)


class EmpiricalMarginals(Marginals):
    """Measured quantile functions.

    Attributes
    ----------
    knots
        (class, channel, knot) strictly growing values at evenly spaced normal scores, from the score of the smallest
        to that of the largest value of a sample of the given count; straight lines between.
    """

    marginal: Literal["empirical"] = "empirical"
    knots: Float64Field

    @model_validator(mode="after")
    def _growing_knots(self) -> Self:
        if self.knots.ndim != 3 or self.knots.shape[:2] != self.shape or self.knots.shape[2] < 2:
            raise ValueError(f"knots of shape {self.knots.shape} do not fit {self.shape} (class, channel)")
        if not (np.isfinite(self.knots).all() and (np.diff(self.knots, axis=2) > 0).all()):
            raise ValueError("knots must be finite and grow")
        return self

    @classmethod
    def fit(cls, summary: Summary) -> Self:
        """Take the quantiles over, smoothed where a sample is too small for so many."""
        knots = np.empty_like(summary.knots)
        for place in np.ndindex(*summary.counts.shape):
            knots[place] = _smoothed(summary.knots[place], int(summary.counts[place]))
        unknown = np.zeros_like(summary.low)
        bare = cls(counts=summary.counts, low=summary.low, high=summary.high, ks=unknown, w1=unknown, knots=knots)
        fitted = bare.quantile(_even_probabilities())
        cdf = ndtr(bare.to_normal(summary.even))
        ks = np.maximum(kolmogorov_smirnov(cdf) - 0.5 / EVEN_QUANTILES, 0.0)
        return bare.model_copy(update={"ks": ks, "w1": wasserstein(summary.even, fitted, summary.even.std(-1))})

    def channel(self, number: int) -> Self:
        """Give the marginals of one channel alone."""
        return type(self)(**self._common(number), knots=self.knots[:, number : number + 1])

    @cached_property
    def _limits(self) -> Float64:
        return extreme_score(self.counts)

    def _rows(self, x: Float64, label: int | None) -> tuple[Float64, list[tuple[int, ...]]]:
        """Give values a row for every curve, and the place of each curve."""
        shape = self.shape if label is None else self.shape[1:]
        rows = np.broadcast_to(x, (*shape, x.shape[-1]))
        return rows, list(np.ndindex(*shape))

    def _curve(self, place: tuple[int, ...], label: int | None) -> tuple[Float64, Float64]:
        where = place if label is None else (label, *place)
        knots: Float64 = self.knots[where]
        return self._limits[where] * np.linspace(-1.0, 1.0, knots.size), knots

    def _value(self, z: Float64, label: int | None) -> Float64:
        rows, places = self._rows(z, label)
        out = np.empty(rows.shape)
        for place in places:
            scores, knots = self._curve(place, label)
            out[place] = np.interp(rows[place], scores, knots)
        return out

    def _score(self, x: Float64, label: int | None) -> Float64:
        rows, places = self._rows(x, label)
        out = np.empty(rows.shape)
        for place in places:
            scores, knots = self._curve(place, label)
            out[place] = np.interp(rows[place], knots, scores)
        return out

    def _log_density(self, x: Float64, label: int | None) -> Float64:
        rows, places = self._rows(x, label)
        out = np.empty(rows.shape)
        for place in places:
            scores, knots = self._curve(place, label)
            segment = np.clip(np.searchsorted(knots, rows[place], side="right") - 1, 0, knots.size - 2)
            slope = (scores[1] - scores[0]) / np.diff(knots)[segment]
            z = np.interp(rows[place], knots, scores)
            out[place] = np.log(slope) - 0.5 * z * z - _LOG_ROOT_TWO_PI
        return out


def _smoothed(knots: Float64, count: int) -> Float64:
    """Keep as many knots as the count supports, interpolate the others without overshoot, and part ties."""
    place = np.linspace(-1.0, 1.0, KNOTS)
    kept = int(np.clip(4.0 * count ** (1.0 / 3.0), 17, KNOTS))
    if kept < KNOTS:
        coarse = np.linspace(-1.0, 1.0, kept)
        knots = PchipInterpolator(coarse, np.interp(coarse, place, knots))(place)
    least = 1e-6 * (knots[-1] - knots[0])
    parted = np.cumsum(np.maximum(np.diff(knots), least))
    return np.asarray(knots[0] + np.concatenate(([0.0], parted * (knots[-1] - knots[0]) / parted[-1])))


AnyMarginals = Annotated[JohnsonMarginals | EmpiricalMarginals, Field(discriminator="marginal")]

__all__ = ["AnyMarginals", "EmpiricalMarginals", "JohnsonMarginals", "Marginals", "Method"]
