"""A Gaussian for each class: the baseline with nothing but means and covariances."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, model_validator
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32, Float64, Float64Field
from beamforge.classical.classifier import Classifier
from beamforge.classical.mean_field import MeanField
from beamforge.errors import InputError
from beamforge.stack import Channel, Classes, channels_of, check_pair, classes_of

_REACH = 4.0  # standard deviations after which the filter is cut


class GaussianModel(BaseModel):
    """Means and covariances of the classes.

    Attributes
    ----------
    classes, channels
        What was fitted.
    smoothing_sigma
        Standard deviation in px of the Gaussian that every channel was filtered with before; 0 for none.
    means
        (class, channel).
    covariances
        (class, channel, channel).
    pixel_counts
        Pixels each class was fitted to (class,).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    classes: Classes
    channels: tuple[Channel, ...]
    smoothing_sigma: NonNegativeFloat = 0.0
    means: Float64Field
    covariances: Float64Field
    pixel_counts: tuple[int, ...]

    @model_validator(mode="after")
    def _invertible(self) -> Self:
        classes, channels = len(self.classes), len(self.channels)
        if self.means.shape != (classes, channels) or self.covariances.shape != (classes, channels, channels):
            raise ValueError(
                f"means {self.means.shape} and covariances {self.covariances.shape} do not fit {classes} classes and "
                f"{channels} channels"
            )
        if not (np.isfinite(self.means).all() and np.isfinite(self.covariances).all()):
            raise ValueError("means and covariances must be finite")
        if not (np.linalg.eigvalsh(self.covariances) > 0).all():
            raise ValueError("covariances must be positive definite")
        return self


class GaussianClassifier(Classifier, name="gaussian"):
    """Judges pixels by a multivariate Gaussian for each class (quadratic discriminant analysis).

    With a `smoothing_sigma` every channel is filtered first, which averages noise away and blurs class borders.
    """

    model: GaussianModel

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray,
        *,
        smoothing_sigma: float = 0.0,
        prior: tuple[float, ...] | None = None,
        smoothing: MeanField | None = None,
    ) -> Self:
        """Fit to a labelled measurement.

        Parameters
        ----------
        stack
            (channel, y, x); pixels with a channel that is not finite are left out.
        labels
            (y, x), 255 = ignore.
        smoothing_sigma
            Filter of the channels, standard deviation in px.
        prior, smoothing
            As of `Classifier`.

        Raises
        ------
        InputError
            If sizes differ, or a class has too few pixels or channels that say the same.
        """
        check_pair(stack, labels)
        classes, channels = classes_of(labels), channels_of(stack)
        image = np.asarray(stack.values, dtype=np.float32)
        finite = np.logical_and.reduce(np.isfinite(image), axis=0)
        filtered = smoothed(image, smoothing_sigma)
        means, covariances, counts = [], [], []
        for number, name in enumerate(classes.names):
            pixels = filtered[:, finite & (labels.values == number)].astype(np.float64)
            if pixels.shape[1] < len(channels) + 2:
                raise InputError(
                    f"class {name!r} has {pixels.shape[1]} usable pixels, at least {len(channels) + 2} are needed for "
                    f"a Gaussian of {len(channels)} channels; annotate more or merge the class"
                )
            covariance = np.cov(pixels).reshape(len(channels), len(channels))
            _check_covariance(covariance, name, channels)
            means.append(pixels.mean(axis=1))
            covariances.append(covariance)
            counts.append(pixels.shape[1])
        model = GaussianModel(
            classes=classes,
            channels=channels,
            smoothing_sigma=smoothing_sigma,
            means=np.stack(means),
            covariances=np.stack(covariances),
            pixel_counts=tuple(counts),
        )
        return cls(model=model, prior=prior, smoothing=smoothing)

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
        """How far in px the filter of the channels mixes pixels."""
        return round(_REACH * self.model.smoothing_sigma)

    def prepared(self, image: Float32) -> Float32:
        """Filter the channels as for the fit."""
        return smoothed(image, self.model.smoothing_sigma)

    @cached_property
    def _factors(self) -> list[Float64]:
        return [cholesky(covariance, lower=True) for covariance in self.model.covariances]

    def log_densities(self, values: Float64, present: NDArray[np.intp]) -> Float64:
        """Give the log-density of every class (class, pixel); missing channels are integrated out."""
        complete = len(present) == len(self.channels)
        densities = []
        for number, (mean, covariance) in enumerate(zip(self.model.means, self.model.covariances, strict=True)):
            factor = self._factors[number] if complete else cholesky(covariance[np.ix_(present, present)], lower=True)
            residuals = solve_triangular(factor, values - mean[present, None], lower=True, check_finite=False)
            constant = np.log(np.diag(factor)).sum() + 0.5 * len(present) * np.log(2 * np.pi)
            densities.append(-0.5 * np.einsum("cp,cp->p", residuals, residuals) - constant)
        return np.stack(densities)


def smoothed(image: Float32, sigma: float) -> Float32:
    """Filter every channel of an image (channel, y, x) with a Gaussian.

    Pixels that are not finite have no weight, so that they take on what surrounds them.
    """
    if sigma == 0:
        return image
    finite = np.isfinite(image)
    sigmas = (0.0, sigma, sigma)
    filtered = gaussian_filter(np.where(finite, image, np.float32(0)), sigmas, mode="nearest", truncate=_REACH)
    if finite.all():
        return np.asarray(filtered, dtype=np.float32)
    weight = gaussian_filter(finite.astype(np.float32), sigmas, mode="nearest", truncate=_REACH)
    # A weight of nothing but rounding is no surrounding.
    filled = np.divide(filtered, weight, out=np.full_like(filtered, np.nan), where=weight > 1e-6)
    return np.asarray(filled, dtype=np.float32)


def _check_covariance(covariance: Float64, name: str, channels: tuple[Channel, ...]) -> None:
    """Refuse covariances that have no inverse, and say which channel is at fault."""
    constant = [channel.label for channel, variance in zip(channels, np.diag(covariance), strict=True) if variance <= 0]
    if constant:
        raise InputError(f"class {name!r} is constant in {', '.join(constant)}; leave such channels out")
    deviation = np.sqrt(np.diag(covariance))
    try:
        cholesky(covariance / np.outer(deviation, deviation), lower=True)
    except LinAlgError as error:
        raise InputError(
            f"the {len(channels)} channels of class {name!r} are not independent, one is a sum of others; leave it out"
        ) from error
