"""Mean squared error of the probabilities: bounded, so that single wrong labels pull little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("mean_squared_error")
def mean_squared_error(logits: Tensor, labels: Tensor, *, weights: Sequence[float] | None = None) -> Tensor:
    """Give the mean of Σ_c (p_c − y_c)² over the pixels whose label is not 255; 0 if there is none.

    With the softmax p and the indicator y this is the Brier score. Source: Brier 1950, Eq. 2.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    weights
        Weight of the pixels of each class; the mean is taken over pixels, not over weights.
    """
    from torch.nn import functional

    counted = labels != IGNORE
    true = labels.where(counted, 0)
    truth = functional.one_hot(true, logits.shape[1]).movedim(-1, 1)
    terms = ((logits.softmax(dim=1) - truth) ** 2).sum(dim=1) * counted
    if weights is not None:
        terms = terms * logits.new_tensor(weights)[true]
    return terms.sum() / counted.sum().clamp(min=1)
