"""Intervals that numeric parameters are drawn from and moved within."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, model_serializer, model_validator


class Interval(BaseModel):
    """A closed interval; written as ``[low, high]``, or as one number for a parameter that does not vary.

    Draws are uniform; those of a `LogInterval` are uniform in the logarithm and those of an `IntegerInterval` are
    whole numbers, both ends included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float

    @model_validator(mode="before")
    @classmethod
    def _from_short_forms(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"{value} is not a number")
        if isinstance(value, int | float):
            return {"low": value, "high": value}
        if isinstance(value, list | tuple):
            if len(value) != 2:
                raise ValueError(f"an interval is [low, high], got {list(value)}")
            return {"low": value[0], "high": value[1]}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"an interval is [low, high] with low <= high, got [{self.low}, {self.high}]")
        return self

    @model_serializer
    def _as_pair(self) -> list[float]:
        return [self.low, self.high]

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def draw(self, rng: Generator) -> float:
        """Draw a value."""
        return float(rng.uniform(self.low, self.high))

    def move(self, value: float, rng: Generator, spread: float) -> float:
        """Draw a value near `value`: at most `spread` of the interval's width away and inside the interval."""
        reach = spread * (self.high - self.low)
        return float(rng.uniform(max(self.low, value - reach), min(self.high, value + reach)))


class LogInterval(Interval):
    """An interval of positive numbers whose draws are uniform in the logarithm."""

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.low <= 0:
            raise ValueError(f"a logarithmic interval starts above 0, got {self.low}")
        return self

    def _inside(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def draw(self, rng: Generator) -> float:
        """Draw a value."""
        return self._inside(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))

    def move(self, value: float, rng: Generator, spread: float) -> float:
        """Draw a value near `value`, near meaning in the logarithm."""
        logs = Interval(low=math.log(self.low), high=math.log(self.high))
        return self._inside(math.exp(logs.move(math.log(value), rng, spread)))


class IntegerInterval(Interval):
    """An interval of whole numbers, both ends included."""

    low: int
    high: int

    def draw(self, rng: Generator) -> int:
        """Draw a whole number."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def move(self, value: float, rng: Generator, spread: float) -> int:
        """Draw a whole number near `value`; a spread above 0 always reaches the neighbours."""
        reach = math.ceil(spread * (self.high - self.low))
        return int(rng.integers(max(self.low, int(value) - reach), min(self.high, int(value) + reach), endpoint=True))


class MeasuredInterval(Interval):
    """An interval whose draws follow measured quantiles, written as the list of them.

    The quantiles belong to evenly spaced probabilities from 0 to 1; draws are interpolated between them. A list of two
    is a uniform interval. Moves stay near in value, as in any interval.
    """

    quantiles: tuple[float, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_short_forms(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"{value} is not a number")
        if isinstance(value, int | float):
            value = [value, value]
        if isinstance(value, list | tuple):
            if len(value) < 2:
                raise ValueError(f"measured quantiles are at least [low, high], got {list(value)}")
            return {"low": value[0], "high": value[-1], "quantiles": value}
        return value

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not all(math.isfinite(value) for value in self.quantiles) or (np.diff(self.quantiles) < 0).any():
            raise ValueError(f"measured quantiles rise, got {list(self.quantiles)}")
        if (self.quantiles[0], self.quantiles[-1]) != (self.low, self.high):
            raise ValueError(f"the quantiles {list(self.quantiles)} do not span [{self.low}, {self.high}]")
        return self

    @model_serializer
    def _as_list(self) -> list[float]:
        return list(self.quantiles)

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray, count: int = 11, weights: np.ndarray | None = None) -> Self:
        """Measure `count` quantiles of values, rounded to 4 digits; values may have weights."""
        numbers, probabilities = np.asarray(values, np.float64), np.linspace(0.0, 1.0, count)
        if weights is None:
            quantiles = np.quantile(numbers, probabilities)
        else:
            quantiles = np.quantile(
                numbers, probabilities, weights=np.asarray(weights, np.float64), method="inverted_cdf"
            )
        return cls.model_validate([float(f"{value:.4g}") for value in quantiles])

    def draw(self, rng: Generator) -> float:
        """Draw a value."""
        return float(np.interp(rng.random(), np.linspace(0.0, 1.0, len(self.quantiles)), self.quantiles))
