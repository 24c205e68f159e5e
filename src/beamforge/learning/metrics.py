"""What is written down after every epoch; the headline figures of a study come from `beamforge.evaluation`."""

from __future__ import annotations

import torch
from torch import Tensor

from beamforge.errors import InputError
from beamforge.stack import IGNORE


def confusion_matrix(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Count the pixels of each true and predicted class.

    Parameters
    ----------
    predicted, labels
        Class numbers, integers of one shape; pixels labelled 255 are left out.
    classes
        Number of classes.

    Returns
    -------
    int64 (true class, predicted class).
    """
    counted = labels != IGNORE
    pairs = labels[counted] * classes + predicted[counted]
    return torch.bincount(pairs.long(), minlength=classes**2).reshape(classes, classes)


def mean_dice_and_iou(confusion: Tensor) -> tuple[float, float]:
    """Average Dice and IoU over the classes that are labelled or predicted anywhere.

    Raises
    ------
    InputError
        If no pixel counts.
    """
    matrix = confusion.double()
    both = matrix.diagonal()
    either = matrix.sum(0) + matrix.sum(1)
    met = either > 0
    if not bool(met.any()):
        raise InputError("every pixel of the validation data is labelled ignore; label some or leave the data out")
    dice = 2 * both[met] / either[met]
    iou = both[met] / (either - both)[met]
    return float(dice.mean()), float(iou.mean())
