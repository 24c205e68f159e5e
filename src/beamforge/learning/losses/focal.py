"""Focal loss: pixels that are found already count less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("focal")
def focal(logits: Tensor, labels: Tensor, *, gamma: float = 2.0, weights: Sequence[float] | None = None) -> Tensor:
    """Give the mean of −w (1 − p)^gamma log p over the pixels whose label is not 255, p that of the true class.

    Source: Lin et al. 2017, Eq. 5, with the softmax in place of the sigmoid.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    gamma
        How fast sure pixels lose their weight; 0 is cross-entropy.
    weights
        Weight of each class; the mean is taken over pixels, not over weights, as in the source.
    """
    counted = labels != IGNORE
    true = labels.where(counted, 0)
    log_p = logits.log_softmax(dim=1).gather(1, true[:, None])[:, 0]
    terms = -((1 - log_p.exp()).clamp(min=0) ** gamma) * log_p * counted
    if weights is not None:
        terms = terms * logits.new_tensor(weights)[true]
    return terms.sum() / counted.sum().clamp(min=1)
