"""A trained network that gives every pixel a class, with its context in px beside what every model knows."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from pydantic import NonNegativeInt, PositiveFloat, model_validator
from scipy.special import logsumexp

from beamforge.arrays import Float32
from beamforge.learning.architectures.base import SEGMENTATION, TaskName
from beamforge.learning.trained import Description, TrainedNetwork


class ModelDescription(Description):
    """The content of a segmenter's ``model.json``.

    Attributes
    ----------
    halo
        How far in px around a pixel the image influences its class noticeably.
    prior
        What the probability that the network gives each class is multiplied by; None leaves it as it is.
    """

    halo: NonNegativeInt
    prior: tuple[PositiveFloat, ...] | None = None

    @model_validator(mode="after")
    def _prior_of_the_classes(self) -> Self:
        if self.prior is not None and len(self.prior) != len(self.classes):
            raise ValueError(f"a prior of {len(self.prior)} numbers for {len(self.classes)} classes")
        return self


class Segmenter(TrainedNetwork[ModelDescription]):
    """A trained network as a `beamforge.predictor.Predictor`."""

    task: ClassVar[TaskName] = SEGMENTATION
    description_class = ModelDescription

    @property
    def halo(self) -> int:
        """Context in px."""
        return self.description.halo

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px; `log_probabilities` continues other sides by itself."""
        return self.network.multiple

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images to log-probabilities.

        Parameters
        ----------
        images
            float32 (batch, channel, y, x) in the stack's own units; pixels that are not finite are filled with the
            channel's centre.

        Returns
        -------
        float32 (batch, class, y, x).

        Raises
        ------
        InputError
            If the shape does not fit the model.
        """
        found = self._log_softmax(images)
        prior = self.description.prior
        if prior is None:
            return found
        found += np.log(np.array(prior, dtype=np.float32))[:, None, None]
        weighted: Float32 = found - logsumexp(found, axis=1, keepdims=True)
        return weighted

    def with_prior(self, prior: tuple[float, ...]) -> Segmenter:
        """Give the same network with other weights of the classes."""
        description = ModelDescription.model_validate({**self.description.model_dump(), "prior": prior})
        return Segmenter(self.network, description, "cpu" if self.device.type == "cpu" else "cuda")
