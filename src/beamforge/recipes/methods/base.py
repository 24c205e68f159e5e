"""The base of the classical methods of a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.learning.registry import Registry
from beamforge.predictor import Predictor
from beamforge.recipes.settings import Settings, read_settings
from beamforge.stack import Channel, Classes

Labelled = tuple[Float32, NDArray[np.integer[Any]]]
"""An image (channel, y, x) and its labels (y, x)."""


class Method(Settings, ABC):
    """Settings of a classical method and how it is fitted to simulated samples.

    What is fitted is a pydantic model that predicts; it is stored as JSON and read again by `fitted`.
    """

    fitted: ClassVar[type[BaseModel]]

    @abstractmethod
    def fit(
        self, samples: Sequence[Labelled], classes: Classes, channels: Sequence[Channel], rng: Generator
    ) -> BaseModel:
        """Fit to simulated samples."""

    def read(self, content: Any) -> Predictor:
        """Build what `fit` gave from its JSON."""
        predictor = self.fitted.model_validate(content)
        if not isinstance(predictor, Predictor):
            raise TypeError(f"{self.fitted.__name__} does not predict")
        return predictor


METHODS: Registry[type[Method]] = Registry("classical method", "beamforge.recipes.methods")


def check_contrast(channels: Sequence[Channel], classes: Classes) -> None:
    """Refuse a generator that a method for bright spots cannot learn from.

    Raises
    ------
    InputError
        If it makes more than one channel, or other than two classes.
    """
    if len(channels) != 1 or len(classes) != 2:
        raise InputError(
            f"spots are told by one channel of contrast from one other class; the generator makes {len(channels)} "
            f"channels and {len(classes)} classes"
        )


def create_method(name: str, settings: Mapping[str, Any]) -> Method:
    """Build a method from a recipe's settings, which name it under ``method``.

    Raises
    ------
    InputError
        For an unknown method or setting.
    """
    if "method" not in settings:
        raise InputError(f"baselines.{name} names no method; methods are {', '.join(METHODS.names())}")
    own = {key: value for key, value in settings.items() if key != "method"}
    return read_settings(METHODS[str(settings["method"])], own, f"baselines.{name}")
