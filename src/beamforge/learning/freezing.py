"""Which parameters a stage trains, at which rate."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer

from beamforge.errors import InputError
from beamforge.learning.config import Stage, TrainingConfig

_MOMENTUM = 0.9
_RATE = "relative_rate"


def freeze(network: nn.Module, encoder: nn.Module | None, stage: Stage) -> None:
    """Put a network into training mode, with its encoder left as it is in a stage that trains the head only.

    A frozen encoder is in evaluation mode: its running statistics stay too.
    """
    network.train()
    network.requires_grad_(True)
    if stage.train == "head" and encoder is not None:
        encoder.eval()
        encoder.requires_grad_(False)


def create_optimizer(
    config: TrainingConfig, network: nn.Module, encoder: nn.Module | None, relative_rate: float
) -> Optimizer:
    """Make the optimiser of the parameters that are trained, those of the encoder at a rate of their own."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    of_encoder = {id(parameter) for parameter in encoder.parameters()} if encoder and relative_rate != 1 else set()
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if id(p) not in of_encoder], _RATE: 1.0},
        {"params": [p for p in trained if id(p) in of_encoder], _RATE: relative_rate},
    ]
    groups = [group for group in groups if group["params"]]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        return SGD(groups, rate, momentum=_MOMENTUM, weight_decay=decay)
    if config.optimizer == "adam":
        return Adam(groups, rate, weight_decay=decay)
    return AdamW(groups, rate, weight_decay=decay)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate, that of the encoder in its proportion."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[_RATE]


def resized(images: Tensor, labels: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Shrink scaled images (batch, channel, y, x) so that their shorter side has so many pixels.

    Each new pixel is the mean of those it covers; labels (batch, y, x) are those in its middle, and the classes of
    whole tiles (batch, 1, 1) stay.

    Raises
    ------
    InputError
        If the images are smaller.
    """
    shorter = min(images.shape[-2:])
    if side > shorter:
        raise InputError(
            f"a stage trains on tiles of {side} px, the data has tiles of {shorter} px; simulate larger ones"
        )
    if side == shorter:
        return images, labels
    size = [max(1, round(length * side / shorter)) for length in images.shape[-2:]]
    smaller = functional.interpolate(images, size, mode="area")
    if labels.shape[-2:] == images.shape[-2:]:
        labels = functional.interpolate(labels[:, None].double(), size, mode="nearest-exact")[:, 0].long()
    return smaller, labels
