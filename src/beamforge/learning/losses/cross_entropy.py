"""Cross-entropy over the pixels that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("cross_entropy")
def cross_entropy(logits: Tensor, labels: Tensor, *, weights: Sequence[float] | None = None) -> Tensor:
    """Give the mean of −log p(true class) over the pixels whose label is not 255; 0 if there is none.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    weights
        Weight of the pixels of each class: the mean becomes Σ w −log p / Σ w.
    """
    from torch.nn import functional

    if weights is None:
        total = functional.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
        return total / (labels != IGNORE).sum().clamp(min=1)
    by_class = logits.new_tensor(weights)
    total = functional.cross_entropy(logits, labels, by_class, ignore_index=IGNORE, reduction="sum")
    counted = labels != IGNORE
    weight = (by_class[labels.where(counted, 0)] * counted).sum()
    return total / weight.where(weight > 0, 1)
