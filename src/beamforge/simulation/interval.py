"""Intervals that numeric parameters are drawn from and moved within."""

from __future__ import annotations

import math
from typing import Any, Self

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
