"""Soft Dice over the classes that are present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("dice")
def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Give 1 − the mean soft Dice of the classes present in the labels; 0 if every pixel is ignored.

    For class c, with the softmax p and the indicator y, Dice = 2 Σ p y / (Σ p + Σ y), the sums over the whole batch
    without pixels labelled 255. A class that is absent has no Dice of its own; probability spent on it is missing
    from the classes that are present.

    Source: Milletari et al. 2016, with a linear denominator.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    """
    from torch.nn import functional

    counted = labels != IGNORE
    probabilities = logits.softmax(dim=1) * counted[:, None]
    truth = functional.one_hot(labels.where(counted, 0), logits.shape[1]).movedim(-1, 1) * counted[:, None]
    shared = (probabilities * truth).sum(dim=(0, 2, 3))
    pixels = truth.sum(dim=(0, 2, 3))
    present = pixels > 0
    denominator = (probabilities.sum(dim=(0, 2, 3)) + pixels).where(present, 1)
    deficits = (1 - 2 * shared / denominator).where(present, 0)
    return deficits.sum() / present.sum().clamp(min=1)
