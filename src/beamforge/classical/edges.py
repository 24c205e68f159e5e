"""Boundaries without learning: where the image changes most, or where dark lines run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat
from scipy.ndimage import gaussian_gradient_magnitude

from beamforge.arrays import Float32, Integers
from beamforge.errors import InputError
from beamforge.stack import IGNORE, Channel, Classes

Mask = NDArray[np.bool_]
_SURE = -20.0
"""Log-probability of the class that was not chosen: a threshold knows no doubt."""


class EdgeFilter(BaseModel):
    """How much a pixel looks like a part of a boundary.

    Attributes
    ----------
    kind
        ``"gradient"``: root of the sum over channels of the squared gradient (Di Zenzo 1986, its trace);
        ``"ridge"``: Sato's filter for dark lines on the mean of the channels (Sato et al. 1998).
    sigma
        Of the Gaussian that the image is smoothed by, in px.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["gradient", "ridge"]
    sigma: PositiveFloat

    def response(self, image: Float32) -> Float32:
        """Filter an image (channel, y, x)."""
        if self.kind == "gradient":
            squared = [gaussian_gradient_magnitude(channel, self.sigma, mode="nearest") ** 2 for channel in image]
            return np.asarray(np.sqrt(np.sum(squared, axis=0)), np.float32)
        from skimage.filters import sato

        lines = sato(image.mean(axis=0), sigmas=(self.sigma,), black_ridges=True, mode="reflect")
        return np.asarray(lines, np.float32)


class EdgeThreshold(BaseModel):
    """Takes the strongest answers of a filter as the last of two classes; a `beamforge.predictor.Predictor`.

    Attributes
    ----------
    filter
        The filter.
    share
        Share of the pixels of each image that is taken.
    channels, classes
        Any channels and two classes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filter: EdgeFilter
    share: float = Field(gt=0.0, lt=1.0)
    channels: tuple[Channel, ...] = (Channel(),)
    classes: Classes = Classes(names=("grain", "boundary"))

    @property
    def halo(self) -> int:
        """Context in px."""
        return int(np.ceil(4.0 * self.filter.sigma)) + 2

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px: any side is valid."""
        return 1

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) to log-probabilities (batch, 2, y, x)."""
        if images.ndim != 4 or images.shape[1] != len(self.channels):
            raise InputError(f"images of shape {images.shape}, expected (batch, {len(self.channels)}, y, x)")
        found = np.empty((len(images), 2, *images.shape[2:]), np.float32)
        for image, probabilities in zip(images, found, strict=True):
            edges = _strongest(self.filter.response(_filled(image)), self.share)
            probabilities[:] = np.where(np.stack([~edges, edges]), np.float32(-np.exp(_SURE)), np.float32(_SURE))
        return found


def tuned_edges(
    kind: Literal["gradient", "ridge"],
    samples: Sequence[tuple[Float32, Integers]],
    channels: tuple[Channel, ...],
    classes: Classes,
    score: Callable[[Mask, Mask], float],
    *,
    sigmas: Sequence[float] = (1.0, 1.5, 2.0, 3.0),
    shares: Sequence[float] = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35),
) -> EdgeThreshold:
    """Choose width and share on labelled samples, such as simulated ones.

    Parameters
    ----------
    kind
        Of the filter.
    samples
        Images (channel, y, x) and labels (y, x) with 1 for boundaries, 255 = ignore.
    channels, classes
        Of the samples.
    score
        Of a prediction and the truth, averaged over the samples; larger is better, NaN says nothing.
    sigmas, shares
        What to choose from.

    Raises
    ------
    InputError
        If there is no sample.
    """
    if not samples:
        raise InputError("no labelled sample to choose a threshold on")
    table: dict[tuple[float, float], float] = {}
    for sigma in sigmas:
        one = EdgeFilter(kind=kind, sigma=sigma)
        responses = [one.response(_filled(image)) for image, _ in samples]
        for share in shares:
            scores = [
                score(_strongest(response, share) & (labels != IGNORE), labels == 1)
                for response, (_, labels) in zip(responses, samples, strict=True)
            ]
            table[sigma, share] = float(np.nanmean(scores))
    sigma, share = max(product(sigmas, shares), key=lambda setting: table[setting])
    return EdgeThreshold(filter=EdgeFilter(kind=kind, sigma=sigma), share=share, channels=channels, classes=classes)


def _filled(image: Float32) -> Float32:
    """Put each channel's median where a pixel is not finite."""
    finite = np.isfinite(image)
    if finite.all():
        return image
    centres = [
        float(np.median(channel[known])) if known.any() else 0.0 for channel, known in zip(image, finite, strict=True)
    ]
    return np.where(finite, image, np.array(centres, np.float32)[:, None, None])


def _strongest(response: Float32, share: float) -> Mask:
    taken: Mask = response > np.quantile(response, 1.0 - share)
    return taken
