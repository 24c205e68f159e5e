"""The intensity model of one measurement: what grey values its classes have, and how they hang together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import xarray as xr
from numpy.random import Generator, default_rng
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from beamforge.arrays import Int64Field
from beamforge.errors import InputError, one_of
from beamforge.files import read_json, write_text
from beamforge.stack import Channel, Classes, channels_of, classes_of
from beamforge.statistics.correlation import Correlation, CorrelationKind
from beamforge.statistics.correlation_fit import fit_correlation
from beamforge.statistics.marginals import AnyMarginals, EmpiricalMarginals, JohnsonMarginals, Method
from beamforge.statistics.samples import summarise

MarginalKind = Literal["johnson", "empirical"]


class IntensityModel(BaseModel):
    """Grey values of every class in every channel of a measurement.

    Attributes
    ----------
    classes, channels
        What the axes of all arrays are.
    marginals
        Distribution of every class in every channel.
    correlation
        Correlation of the normal scores between channels and in space.
    invalid_counts
        (class, channel) labelled pixels that were NaN or infinite and left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    classes: Classes
    channels: tuple[Channel, ...]
    marginals: AnyMarginals
    correlation: Correlation
    invalid_counts: Int64Field

    @model_validator(mode="after")
    def _of_these_classes_and_channels(self) -> Self:
        expected = (len(self.classes), len(self.channels))
        found = {
            "marginals": self.marginals.shape,
            "correlation": self.correlation.drift_share.shape,
            "invalid_counts": self.invalid_counts.shape,
        }
        for name, shape in found.items():
            if shape != expected:
                raise ValueError(f"{name} is of {shape} classes and channels, {expected} are named")
        return self

    @property
    def pixel_counts(self) -> np.ndarray:
        """Pixels (class, channel) behind each distribution."""
        return self.marginals.counts

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray,
        *,
        marginal: MarginalKind = "johnson",
        correlation: CorrelationKind = "none",
        method: Method = "quantiles",
        rng: Generator | None = None,
        minimum: int = 50,
    ) -> Self:
        """Learn the model from an annotated measurement.

        Parameters
        ----------
        stack
            (channel, y, x); non-finite pixels count nowhere and are reported in `invalid_counts`.
        labels
            (y, x); ignored pixels count nowhere.
        marginal
            Johnson curves or measured quantile functions.
        correlation
            What to learn about correlation: nothing, between channels, in space, or both.
        method
            How to fit Johnson curves.
        rng
            Random stream for spreading whole numbers over ±½ and for choosing pixels; by default one of fixed seed,
            so that the same measurement gives the same model.
        minimum
            Smallest number of pixels a class may have.

        Raises
        ------
        InputError
            If sizes differ, a class has too few pixels, or a channel is constant inside a class.
        """
        _check_choice("marginal", marginal, ("johnson", "empirical"))
        _check_choice("correlation", correlation, ("none", "channels", "space", "both"))
        _check_choice("method", method, ("quantiles", "moments", "likelihood"))
        for_values, for_scores = (default_rng(0) if rng is None else rng).spawn(2)
        summary = summarise(stack, labels, for_values, minimum=minimum, moments=method == "moments")
        classes, names = classes_of(labels), channels_of(stack)
        marginals = JohnsonMarginals.fit(summary, method) if marginal == "johnson" else EmpiricalMarginals.fit(summary)
        if correlation == "none":
            found = Correlation.none(len(classes), len(names))
        else:
            # Correlation is that of the ranks whatever the curve: a curve's misfit, or stray values far out in its
            # tail, would otherwise count as structure.
            ranks = EmpiricalMarginals.fit(summary)
            found = fit_correlation(stack, labels, ranks, correlation, for_scores)
        return cls(
            classes=classes,
            channels=names,
            marginals=marginals,
            correlation=found,
            invalid_counts=summary.invalid,
        )

    def save(self, path: str | Path) -> None:
        """Write the model as one readable JSON file."""
        write_text(path, _readable({"intensity_model": 1, **self.model_dump(mode="json")}) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model.

        Raises
        ------
        InputError
            If the file is missing, not JSON, or does not describe an intensity model.
        """
        content = read_json(path)
        if not isinstance(content, dict) or content.pop("intensity_model", None) != 1:
            raise InputError(f"{path} is not an intensity model of this version; make one with `beamforge fit`")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise InputError(
                f"{path} is not a valid intensity model: {f'{place}: ' if place else ''}{message}"
            ) from error


def _check_choice(setting: str, given: str, available: tuple[str, ...]) -> None:
    if given not in available:
        raise one_of(setting, given, available)


def _readable(value: Any, indent: int = 0) -> str:
    """Write JSON with one line for every innermost list, so that a table reads as a table."""
    space = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{space}{json.dumps(k, ensure_ascii=False)}: {_readable(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}" if parts else "{}"
    if isinstance(value, list) and any(isinstance(v, list | dict) for v in value):
        return "[\n" + ",\n".join(space + _readable(v, indent + 1) for v in value) + "\n" + " " * indent + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
