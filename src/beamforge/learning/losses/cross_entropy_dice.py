"""The sum of cross-entropy and Dice: good gradients early, good overlap late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.learning.losses.cross_entropy import cross_entropy
from beamforge.learning.losses.dice import dice

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("cross_entropy_dice")
def cross_entropy_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Give cross-entropy plus Dice loss.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x), 255 = ignore.
    """
    return cross_entropy(logits, labels) + dice(logits, labels)
