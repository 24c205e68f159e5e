"""Cross-entropy over the pixels that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("cross_entropy")
def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the mean of −log p(true class) over the pixels whose label is not 255; 0 if there is none.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    """
    from torch.nn import functional

    total = functional.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)
