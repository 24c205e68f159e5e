"""What the classical classifiers share: missing channels, priors, smoothing, one file each, a registry by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from beamforge._version import __version__
from beamforge.arrays import Float32, Float64
from beamforge.classical.mean_field import MeanField, log_softmax
from beamforge.errors import InputError, one_of
from beamforge.files import read_json, write_json
from beamforge.stack import Channel, Classes

LEAST_LOG_PROBABILITY = -1e4
"""Log-probabilities are not given below this: nothing can be told from them, and float32 would end at infinity."""

_PIXELS_AT_ONCE = 1 << 14

_REGISTRY: dict[str, type[Classifier]] = {}


class Classifier(BaseModel):
    """A predictor that knows the density of the intensities of every class.

    A subclass states its name in the class header, holds what it fitted in a field, and writes `classes`, `channels`
    and `log_densities`; `prepared` and `reach` too if it filters the image first.

    Channels that are not finite at a pixel are missing there: the pixel is judged by the others, and by the prior and
    its neighbours if it has none.

    Attributes
    ----------
    prior
        Probability of each class; None takes all as equal.
    smoothing
        How much a pixel follows its neighbours; None judges every pixel alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    classifier_name: ClassVar[str] = ""

    prior: tuple[float, ...] | None = None
    smoothing: MeanField | None = None

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.classifier_name = name
        _REGISTRY[name] = cls

    def __init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    @field_validator("prior")
    @classmethod
    def _is_a_distribution(cls, prior: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if prior is not None and (min(prior) <= 0 or abs(sum(prior) - 1) > 1e-6):
            raise ValueError(f"a prior holds a probability above 0 for each class, in sum 1, got {prior}")
        return prior

    @property
    def classes(self) -> Classes:
        """What the classes are."""
        raise NotImplementedError(f"the classifier {self.classifier_name!r} has no classes")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels are."""
        raise NotImplementedError(f"the classifier {self.classifier_name!r} has no channels")

    def log_densities(self, values: Float64, present: NDArray[np.intp]) -> Float64:
        """Give the log-density of every class.

        Parameters
        ----------
        values
            Finite intensities (channel, pixel) of the channels that are present.
        present
            Which channels these are.

        Returns
        -------
        float64 (class, pixel).
        """
        raise NotImplementedError(f"the classifier {self.classifier_name!r} has no densities")

    def prepared(self, image: Float32) -> Float32 | Float64:
        """Filter an image (channel, y, x) before its pixels are judged; by default not at all."""
        return image

    @property
    def reach(self) -> int:
        """How far in px `prepared` mixes pixels."""
        return 0

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.reach + (self.smoothing.halo if self.smoothing else 0)

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px: any side is valid."""
        return 1

    def log_likelihoods(self, image: Float32) -> Float64:
        """Give the log-density of every class plus its log-prior, for an image (channel, y, x): (class, y, x)."""
        if image.ndim != 3 or len(image) != len(self.channels):
            raise InputError(
                f"an image of shape {image.shape} was given, expected (channel, y, x) with {len(self.channels)} "
                "channels"
            )
        flat = self.prepared(image).reshape(len(image), -1)
        found = np.zeros((len(self.classes), flat.shape[1]))
        for start in range(0, flat.shape[1], _PIXELS_AT_ONCE):
            part = flat[:, start : start + _PIXELS_AT_ONCE].astype(np.float64)
            for present, pixels in channel_patterns(np.isfinite(part)):
                found[:, start + pixels] = self.log_densities(part[np.ix_(present, pixels)], present)
        if self.prior is not None:
            if len(self.prior) != len(self.classes):
                raise InputError(f"the prior has {len(self.prior)} numbers for {len(self.classes)} classes")
            found += np.log(self.prior)[:, None]
        return found.reshape(-1, *image.shape[1:])

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) in the stack's own units to log-probabilities (batch, class, y, x)."""
        found = np.empty((len(images), len(self.classes), *images.shape[2:]), dtype=np.float32)
        for image, probabilities in zip(images, found, strict=True):
            likelihoods = self.log_likelihoods(image)
            if self.smoothing is not None:
                probabilities[:] = self.smoothing(likelihoods)
            else:
                probabilities[:] = log_softmax((likelihoods - likelihoods.max(axis=0)).astype(np.float32))
        return np.maximum(found, np.float32(LEAST_LOG_PROBABILITY))

    def save(self, path: str | Path) -> None:
        """Write the classifier to one JSON file."""
        config = self.model_dump(mode="json")
        write_json(path, {"classifier": self.classifier_name, "beamforge": __version__, **config})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a classifier of this kind, or of any kind when called on `Classifier`.

        Raises
        ------
        InputError
            If the file is none, or of another kind.
        """
        config = read_json(path)
        if not isinstance(config, dict) or "classifier" not in config:
            raise InputError(f"{path} does not hold a classifier")
        kind = classifier_class(config.pop("classifier"))
        if not issubclass(kind, cls):
            raise InputError(f"{path} holds a {kind.classifier_name!r} classifier, expected {cls.classifier_name!r}")
        config.pop("beamforge", None)
        try:
            return kind.model_validate(config)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{path} does not hold a {kind.classifier_name!r} classifier: {place}: {first['msg']}"
            ) from error


def channel_patterns(finite: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Group pixels by which of their channels are finite, those with none left out.

    Parameters
    ----------
    finite
        (channel, pixel).

    Yields
    ------
    channels, pixels
        Numbers of the finite channels, and of the pixels that have just these.
    """
    if finite.all():
        yield np.arange(len(finite)), np.arange(finite.shape[1])
        return
    patterns, group = np.unique(np.packbits(finite, axis=0), axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        pixels = np.flatnonzero(group == number)
        channels = np.flatnonzero(finite[:, pixels[0]])
        if len(channels):
            yield channels, pixels


@cache
def _import_all() -> None:
    """Import every module of this package, each of which may register a classifier."""
    import beamforge.classical as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def classifier_class(name: str) -> type[Classifier]:
    """Find a classifier by its name.

    Raises
    ------
    InputError
        Naming the nearest there is.
    """
    _import_all()
    if name not in _REGISTRY:
        raise one_of("classifier", name, _REGISTRY)
    return _REGISTRY[name]


def classifier_names() -> list[str]:
    """List the names of all classifiers."""
    _import_all()
    return sorted(_REGISTRY)
