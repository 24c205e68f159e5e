"""Loss, Dice and IoU of a network on validation data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from beamforge.errors import InputError
from beamforge.learning.metrics import confusion_matrix, mean_dice_and_iou

Forward = Callable[[nn.Module, Tensor], Tensor]


@torch.inference_mode()
def validate_network(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    forward: Forward,
    loss: Callable[[Tensor, Tensor], Tensor],
    classes: int,
    accelerator: Accelerator,
) -> dict[str, float]:
    """Judge a network.

    Parameters
    ----------
    network
        The network; its mode is restored afterwards.
    batches
        Images (batch, channel, y, x) and labels (batch, y, x); several processes each go through their own.
    forward
        Computes the logits of unscaled images.
    loss
        Of logits and labels.
    classes
        Number of classes.
    accelerator
        Device and processes.

    Returns
    -------
    ``loss`` (mean over tiles), ``dice`` and ``miou`` (means over the classes met, from the pixels of all tiles) and
    ``error`` (share of wrong pixels). A classifier has one pixel for each tile.
    """
    was_training = network.training
    network.eval()
    device = accelerator.device
    confusion = torch.zeros((classes, classes), dtype=torch.int64, device=device)
    loss_and_count = torch.zeros(2, dtype=torch.float64)
    for images, labels in batches:
        targets = labels.to(device)
        logits = forward(network, images.to(device))
        loss_and_count += torch.tensor([float(loss(logits, targets)) * len(images), len(images)], dtype=torch.float64)
        confusion += confusion_matrix(logits.argmax(dim=1), targets, classes)
    network.train(was_training)
    confusion = accelerator.reduce(confusion, "sum")
    total, count = accelerator.reduce(loss_and_count.to(device), "sum").tolist()
    if count == 0:
        raise InputError("the validation data is empty")
    confusion = confusion.cpu()
    dice, miou = mean_dice_and_iou(confusion)
    wrong = 1 - float(confusion.diagonal().sum() / confusion.sum())
    return {"loss": total / count, "dice": dice, "miou": miou, "error": wrong}
