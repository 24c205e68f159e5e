"""What a training makes: a segmenter or a classifier. All but the last step of a training is the same for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from beamforge.errors import InputError
from beamforge.learning.architectures import ARCHITECTURES
from beamforge.learning.architectures.base import CLASSIFICATION
from beamforge.learning.classifier import Classifier, ClassifierDescription
from beamforge.learning.config import NetworkConfig
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.segmenter import ModelDescription, Segmenter
from beamforge.learning.trained import Description, TrainedNetwork

M = TypeVar("M", bound=TrainedNetwork[Any])


@dataclass(frozen=True)
class Task(Generic[M]):
    """How a trained network becomes a model.

    Attributes
    ----------
    model
        The class of the model.
    samples_for_weights
        From how many samples the weights of the classes are counted: a tile has thousands of pixels but one class.
    describe
        Makes the model's description from what every description holds and a function that measures the context.
    """

    model: type[M]
    samples_for_weights: int
    describe: Callable[[dict[str, Any], Callable[[], int]], Description]

    def check_network(self, network: NetworkConfig) -> None:
        """Refuse an architecture of another task.

        Raises
        ------
        InputError
            Naming the architectures of this one.
        """
        architecture = network.build_architecture()
        if architecture.task != self.model.task:
            fitting = [name for name in ARCHITECTURES.names() if ARCHITECTURES[name].task == self.model.task]
            raise InputError(
                f"the architecture {network.architecture!r} is for {architecture.task}; {self.model.task} needs one of "
                f"{', '.join(fitting)}"
            )

    def check_labels(self, data: LabelledTiles) -> None:
        """Refuse labels of another task.

        Raises
        ------
        InputError
            Giving their shape.
        """
        image, labels = data[0]
        of_tiles = tuple(labels.shape) == (1, 1)
        if self.model.task == CLASSIFICATION and not of_tiles:
            raise InputError(
                f"the first tile has labels of {tuple(labels.shape)} px, classification needs one class for each tile; "
                "give the data as TileClasses(data, rule)"
            )
        if self.model.task != CLASSIFICATION and labels.shape != image.shape[-2:]:
            raise InputError(
                f"the first tile has {tuple(image.shape[-2:])} px and labels of {tuple(labels.shape)} px, segmentation "
                "needs a label for each pixel"
            )


SEGMENT = Task(Segmenter, 32, lambda facts, context: ModelDescription(**facts, halo=context()))
CLASSIFY = Task(Classifier, 1024, lambda facts, _: ClassifierDescription(**facts))


def task_of(network: NetworkConfig) -> Task[Segmenter] | Task[Classifier]:
    """Say what a network is for."""
    return CLASSIFY if network.build_architecture().task == CLASSIFICATION else SEGMENT
