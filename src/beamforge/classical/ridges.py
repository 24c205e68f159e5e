"""Ridge filters with a threshold: the classical way to find dark lines, such as roots in soil."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt, model_validator
from scipy.ndimage import gaussian_filter, label

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.stack import IGNORE, Channel, Classes

Mask = NDArray[np.bool_]
Score = Callable[[Mask, Mask], float]
"""Of a prediction and the truth; larger is better, NaN says nothing."""

_SURE = -20.0
"""Log-probability of the class that was not chosen: a threshold knows no doubt."""


class RidgeFilter(BaseModel):
    """How much a pixel looks like a part of a dark line.

    Attributes
    ----------
    kind
        ``"sato"`` (Sato et al. 1998), ``"frangi"`` (Frangi et al. 1998), or ``"background"``: how much darker a pixel
        is than the mean around it.
    sigmas
        Widths in px that lines are looked for at; for ``"background"``, the width of the mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sato", "frangi", "background"]
    sigmas: tuple[PositiveFloat, ...]

    @model_validator(mode="after")
    def _enough_widths(self) -> Self:
        if not self.sigmas or (self.kind == "background" and len(self.sigmas) > 1):
            raise ValueError(
                f"{self.kind} was given the widths {self.sigmas}; background takes one, others at least one"
            )
        return self

    @property
    def reach(self) -> int:
        """How far in px it mixes pixels."""
        return int(np.ceil(4.0 * max(self.sigmas))) + 2

    def response(self, image: Float32) -> Float32:
        """Filter an image (y, x)."""
        if self.kind == "background":
            darker: Float32 = gaussian_filter(image, self.sigmas[0], mode="nearest") - image
            return darker
        from skimage.filters import frangi, sato

        chosen: Callable[..., NDArray[np.floating[Any]]] = sato if self.kind == "sato" else frangi
        response: Float32 = chosen(image, sigmas=self.sigmas, black_ridges=True, mode="reflect").astype(np.float32)
        return response


class RidgeClassifier(BaseModel):
    """Takes as one class what a ridge filter answers strongly to, as the first what it does not.

    It is a `beamforge.predictor.Predictor`.

    Attributes
    ----------
    filter
        The filter.
    threshold
        Least response, or ``"otsu"`` to choose it for each image by Otsu's method.
    least_size
        Pieces of fewer px than this are dropped.
    channels, classes
        One channel and at least two classes.
    wanted
        Number of the class that lines become.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filter: RidgeFilter
    threshold: float | Literal["otsu"]
    least_size: NonNegativeInt = 0
    channels: tuple[Channel, ...] = (Channel(),)
    classes: Classes = Classes(names=("background", "ridge"))
    wanted: PositiveInt = 1

    @model_validator(mode="after")
    def _one_channel_and_its_class(self) -> Self:
        if len(self.channels) != 1 or len(self.classes) <= self.wanted:
            raise ValueError(
                f"{len(self.channels)} channels and {len(self.classes)} classes, expected 1 and more than {self.wanted}"
            )
        return self

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.filter.reach

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px: any side is valid."""
        return 1

    def mask(self, image: Float32) -> Mask:
        """Find the lines in an image (y, x)."""
        response = self.filter.response(image)
        return keep_large(response > _threshold(response, self.threshold), self.least_size)

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, 1, y, x) to log-probabilities (batch, class, y, x)."""
        if images.ndim != 4 or images.shape[1] != 1:
            raise InputError(f"images of shape {images.shape} were given, expected (batch, 1, y, x)")
        found = np.full((len(images), len(self.classes), *images.shape[2:]), _SURE, np.float32)
        for image, probabilities in zip(images, found, strict=True):
            centre = np.float32(np.nanmedian(image[0]))
            lines = self.mask(np.where(np.isfinite(image[0]), image[0], centre).astype(np.float32))
            probabilities[0][~lines] = probabilities[self.wanted][lines] = np.float32(-np.exp(_SURE))
        return found


def keep_large(mask: Mask, least_size: int) -> Mask:
    """Drop the pieces of a mask that have fewer px; pixels that touch at a corner hang together."""
    if least_size <= 1:
        return mask
    pieces, _ = label(mask, structure=np.ones((3, 3)))
    large = np.bincount(pieces.ravel()) >= least_size
    large[0] = False
    kept: Mask = large[pieces]
    return kept


def tuned_ridges(
    filters: Iterable[RidgeFilter],
    samples: Sequence[tuple[Float32, NDArray[np.integer[Any]]]],
    wanted: int,
    score: Score,
    *,
    shares: Sequence[float] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2),
    least_sizes: Sequence[int] = (0, 30, 100, 300),
) -> RidgeClassifier:
    """Choose filter, threshold and least size on simulated samples, so that no measured pixel has a say in it.

    Parameters
    ----------
    filters
        What to choose from.
    samples
        Images (1, y, x) or (y, x) and their labels (y, x).
    wanted
        Class that is to be found.
    score
        What to make large, averaged over the samples; labels of 255 are taken as not predicted.
    shares
        Thresholds to try, as the share of all pixels of all samples that lie above.
    least_sizes
        Sizes in px below which pieces are dropped, to try.

    Raises
    ------
    InputError
        If no sample holds the wanted class.
    """
    if not any((labels == wanted).any() for _, labels in samples):
        raise InputError(f"none of the {len(samples)} samples holds the class {wanted}; simulate more")
    best: tuple[float, RidgeClassifier] | None = None
    for one in filters:
        responses = [one.response(image[0] if image.ndim == 3 else image) for image, _ in samples]
        levels = np.quantile(np.concatenate([r.ravel() for r in responses]), 1.0 - np.asarray(shares))
        for level, size in product(levels.tolist(), least_sizes):
            scores = [
                score(keep_large(response > level, size) & (labels != IGNORE), labels == wanted)
                for response, (_, labels) in zip(responses, samples, strict=True)
            ]
            value = float(np.nanmean(scores))
            if best is None or value > best[0]:
                best = value, RidgeClassifier(filter=one, threshold=level, least_size=size)
    if best is None:
        raise InputError("no ridge filter was given to choose from")
    return best[1]


def _threshold(response: Float32, threshold: float | Literal["otsu"]) -> float:
    if threshold != "otsu":
        return threshold
    from skimage.filters import threshold_otsu

    if np.ptp(response) == 0.0:
        return float("inf")
    return float(threshold_otsu(response))
