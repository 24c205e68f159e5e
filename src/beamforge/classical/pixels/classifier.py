"""One predictor for all pixel classifiers that are trained on features."""

from __future__ import annotations

import base64
import math
import zlib
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema, model_validator

from beamforge.arrays import Float32, Float32Field, Float64, UInt8Field
from beamforge.classical.classifier import Classifier
from beamforge.classical.pixels.filters import Filters
from beamforge.classical.pixels.methods import METHODS, create_estimator
from beamforge.errors import InputError, one_of
from beamforge.stack import Channel, Classes, channels_of, check_pair, classes_of

_PIXELS_AT_ONCE = 1 << 15
_TILE = 512
_LEAST_PIXELS = 5
_LEAST_PROBABILITY = 1e-6


def _packed(values: NDArray[np.float32]) -> dict[str, Any]:
    """Write an array of floats as text without loss; as decimal numbers it would be several times as long."""
    little = np.ascontiguousarray(values, dtype="<f4")
    return {"shape": list(values.shape), "zlib_base64": base64.b64encode(zlib.compress(little.tobytes())).decode()}


def _unpacked(value: Any) -> Float32:
    if isinstance(value, dict):
        try:
            shape = [int(side) for side in value["shape"]]
            packed = base64.b64decode(value["zlib_base64"], validate=True)
            # No more is unpacked than is declared.
            raw = zlib.decompressobj().decompress(packed, max_length=max(1, 4 * math.prod(shape)))
        except (KeyError, TypeError, zlib.error) as error:
            raise ValueError(f"not a packed array ({error})") from error
        value = np.frombuffer(raw, dtype="<f4").reshape(shape)
    array = np.array(value, dtype=np.float32)
    array.flags.writeable = False
    return array


PackedFloat32 = Annotated[
    np.ndarray,
    BeforeValidator(_unpacked),
    PlainSerializer(_packed, when_used="json"),
    WithJsonSchema({"type": "object"}),
]


class PixelModel(BaseModel):
    """All that a pixel classifier is made from: the labelled pixels it learns.

    No fitted estimator is stored, as that would take a pickle; the same pixels and seed give the same estimator again.

    Attributes
    ----------
    method
        A name in `beamforge.classical.pixels.METHODS`.
    seed
        Of the estimator.
    filters
        The features.
    classes, channels
        What is told apart, by what.
    centres
        Median of each channel, which takes the place of values that are not finite.
    features
        (pixel, feature).
    labels
        (pixel,).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    method: str
    seed: int
    filters: Filters
    classes: Classes
    channels: tuple[Channel, ...]
    centres: Float32Field
    features: PackedFloat32
    labels: UInt8Field

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.method not in METHODS:
            raise one_of("method", self.method, METHODS)
        expected = (len(self.labels), self.filters.count(len(self.channels)))
        if self.features.shape != expected or self.centres.shape != (len(self.channels),):
            raise ValueError(f"features have shape {self.features.shape}, expected {expected}")
        return self


class PixelClassifier(Classifier, name="pixels"):
    """Judges pixels by their multi-scale features, with a method of scikit-learn or a threshold.

    Every class is drawn equally often to learn from, so that the classes are equally likely beforehand.
    """

    model: PixelModel

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray,
        method: str,
        rng: Generator,
        *,
        filters: Filters | None = None,
        pixels_per_class: int = 2000,
        **settings: Any,
    ) -> Self:
        """Learn from scribbles or a full mask.

        Parameters
        ----------
        stack
            (channel, y, x); it is read tile by tile, and only where pixels were drawn.
        labels
            (y, x); 255 = not labelled.
        method
            A name in `beamforge.classical.pixels.METHODS`.
        rng
            Draws the pixels and the seed of the estimator.
        filters
            The features; by default values, Gaussians, gradients, Laplacians, and the eigenvalues of Hessian and
            structure tensor at 1, 2 and 4 px.
        pixels_per_class
            Most labelled pixels of a class to learn.
        **settings
            ``prior`` and ``smoothing`` of `beamforge.classical.Classifier`.

        Raises
        ------
        InputError
            If the method is unknown, sizes differ, or a class has too few labelled pixels.
        """
        if method not in METHODS:
            raise one_of("method", method, METHODS)
        check_pair(stack, labels)
        filters = filters or Filters()
        drawn = _draw(labels, rng, pixels_per_class)
        centres = np.array([_centre(stack, drawn, channel) for channel in range(stack.sizes["channel"])], np.float32)
        model = PixelModel(
            method=method,
            seed=int(rng.integers(2**31)),
            filters=filters,
            classes=classes_of(labels),
            channels=channels_of(stack),
            centres=centres,
            features=_features_at(stack, drawn, filters, centres),
            labels=labels.values[tuple(drawn.T)],
        )
        fitted = cls(model=model, **settings)
        _ = fitted._estimator  # what cannot be fitted is said now
        return fitted

    @property
    def classes(self) -> Classes:
        """What the classes are."""
        return self.model.classes

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels are."""
        return self.model.channels

    @property
    def reach(self) -> int:
        """How far in px the features reach."""
        return self.model.filters.halo

    @cached_property
    def _estimator(self) -> Any:
        estimator = create_estimator(self.model.method, self.model.seed)
        return estimator.fit(self.model.features, self.model.labels.astype(np.intp))

    def log_likelihoods(self, image: Float32) -> Float64:
        """Give the log-probability of every class plus its log-prior, for an image (channel, y, x): (class, y, x)."""
        if image.ndim != 3 or len(image) != len(self.channels):
            raise InputError(
                f"an image of shape {image.shape} was given, expected (channel, y, x) with {len(self.channels)} "
                "channels"
            )
        features = self.model.filters(_filled(image, self.model.centres)).reshape(-1, image[0].size)
        found = np.empty((len(self.classes), features.shape[1]))
        for start in range(0, features.shape[1], _PIXELS_AT_ONCE):
            part = slice(start, start + _PIXELS_AT_ONCE)
            found[:, part] = self._estimator.predict_proba(np.ascontiguousarray(features[:, part].T)).T
        logarithms: Float64 = np.log(np.maximum(found, _LEAST_PROBABILITY))
        if self.prior is not None:
            if len(self.prior) != len(self.classes):
                raise InputError(f"the prior has {len(self.prior)} numbers for {len(self.classes)} classes")
            logarithms += np.log(self.prior)[:, None]
        return logarithms.reshape(-1, *image.shape[1:])


def _draw(labels: xr.DataArray, rng: Generator, most: int) -> NDArray[np.intp]:
    """Draw labelled pixels (pixel, 2), as many of each class as there are up to `most`."""
    chosen = []
    for number, name in enumerate(classes_of(labels).names):
        places = np.argwhere(labels.values == number)
        if len(places) < _LEAST_PIXELS:
            raise InputError(
                f"class {name!r} has {len(places)} labelled pixels, at least {_LEAST_PIXELS} are needed; annotate more "
                "or leave the class out"
            )
        chosen.append(places[np.sort(rng.choice(len(places), min(most, len(places)), replace=False))])
    return np.concatenate(chosen)


def _centre(stack: xr.DataArray, drawn: NDArray[np.intp], channel: int) -> float:
    """Take the median of a channel at the drawn pixels.

    Raises
    ------
    InputError
        If no value is finite.
    """
    values = np.asarray(stack.variable[channel].data)[tuple(drawn.T)].astype(np.float64)
    finite = values[np.isfinite(values)]
    if not len(finite):
        raise InputError(f"channel {channels_of(stack)[channel].label} is finite at no labelled pixel; leave it out")
    return float(np.median(finite))


def _features_at(stack: xr.DataArray, places: NDArray[np.intp], filters: Filters, centres: Float32) -> Float32:
    """Compute features (pixel, feature) at places (pixel, 2) tile by tile, each with its halo."""
    found = np.empty((len(places), filters.count(len(centres))), dtype=np.float32)
    tiles, group = np.unique(places // _TILE, axis=0, return_inverse=True)
    for number, (row, column) in enumerate(tiles * _TILE):
        top, left = max(0, row - filters.halo), max(0, column - filters.halo)
        window = stack.variable[:, top : row + _TILE + filters.halo, left : column + _TILE + filters.halo]
        image = _filled(np.asarray(window.data, dtype=np.float32), centres)
        members = np.flatnonzero(group.ravel() == number)
        y, x = (places[members] - (top, left)).T
        found[members] = filters(image)[:, y, x].T
    return found


def _filled(image: Float32, centres: Float32) -> Float32:
    """Put each channel's centre where a value is not finite."""
    finite = np.isfinite(image)
    return image if finite.all() else np.where(finite, image, centres[:, None, None])
