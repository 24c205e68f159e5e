"""A trained network that gives every pixel a class, with its context in px beside what every model knows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import NonNegativeInt

from beamforge.arrays import Float32
from beamforge.learning.architectures.base import SEGMENTATION, TaskName
from beamforge.learning.trained import Description, TrainedNetwork


class ModelDescription(Description):
    """The content of a segmenter's ``model.json``.

    Attributes
    ----------
    halo
        How far in px around a pixel the image influences its class noticeably.
    """

    halo: NonNegativeInt


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
        return self._log_softmax(images)
