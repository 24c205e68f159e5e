"""What a training takes from its data before the first step, and its trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelerate import Accelerator

from beamforge.errors import InputError
from beamforge.learning.checkpoint import Progress
from beamforge.learning.class_weights import class_counts, weights_from_counts
from beamforge.learning.config import NetworkConfig, TrainingConfig
from beamforge.learning.course import Course
from beamforge.learning.losses import create_loss
from beamforge.learning.network import create_network
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.scaling import Scaling
from beamforge.learning.task import Task
from beamforge.learning.trainer import Trainer

_SAMPLES_FOR_SCALING = 32


def prepare_trainer(
    task: Task[Any],
    network: NetworkConfig,
    training: TrainingConfig,
    data: LabelledTiles,
    progress: Progress,
    out: Path,
    accelerator: Accelerator,
) -> Trainer:
    """Make the network, the loss and the trainer of a training."""
    made = create_network(network, len(data.channels), len(data.classes), seed=training.seed)
    weights = class_weights(training, data, task.samples_for_weights)
    loss = create_loss(training.loss, training.loss_options, weights)
    apart = any(stage.needs_encoder for stage in training.stages)
    encoder = network.build_architecture().encoder_of(made.core) if apart else None
    course = Course.of(training, len(data), data.endless)
    return Trainer(made, loss, training, course, progress, out, accelerator, encoder)


def fit_scaling(training: TrainingConfig, data: LabelledTiles) -> Scaling:
    """Fit the scaling of the channels to some samples."""
    return Scaling.fit((data[number][0].numpy() for number in _spread(data, _SAMPLES_FOR_SCALING)), training.scaling)


def class_weights(training: TrainingConfig, data: LabelledTiles, most: int) -> tuple[float, ...] | None:
    """Give the weights of the classes; those from the data follow from the same samples again on resuming.

    Raises
    ------
    InputError
        If there is not one weight for each class.
    """
    if not isinstance(training.class_weights, str):
        if len(training.class_weights) != len(data.classes):
            raise InputError(
                f"class_weights holds {len(training.class_weights)} numbers, the data has the {len(data.classes)} "
                f"classes {list(data.classes.names)}; give one for each"
            )
        return training.class_weights
    if training.class_weights == "equal":
        return None
    samples = (data[number][1].numpy() for number in _spread(data, most))
    return weights_from_counts(class_counts(samples, len(data.classes)), training.class_weights)


def _spread(data: LabelledTiles, most: int) -> list[int]:
    """Choose samples from all over the data, which may be sorted by class; any of endless data are as good."""
    count = min(most, len(data))
    return [number if data.endless else number * len(data) // count for number in range(count)]
