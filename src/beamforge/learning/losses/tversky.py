"""Tversky loss: Dice in which missed pixels cost another price than wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("tversky")
def tversky(
    logits: Tensor, labels: Tensor, *, false_positives: float = 0.3, false_negatives: float = 0.7, power: float = 1.0
) -> Tensor:
    """Give the mean over the classes present of (1 − T)^power; 0 if every pixel is ignored.

    For class c, with the softmax p and the indicator y, T = Σ p y / (Σ p y + a Σ p (1 − y) + b Σ (1 − p) y), the sums
    over the whole batch without pixels labelled 255. With a = b = ½ and a power of 1 it is the Dice loss.

    Source: Salehi et al. 2017; the power is that of the focal Tversky loss, Abraham and Khan 2019 (1/γ there).

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    false_positives, false_negatives
        Prices a and b.
    power
        Below 1, classes that are nearly right keep pulling; above 1, the worst class pulls most.
    """
    from torch.nn import functional

    counted = labels != IGNORE
    probabilities = logits.softmax(dim=1) * counted[:, None]
    truth = functional.one_hot(labels.where(counted, 0), logits.shape[1]).movedim(-1, 1) * counted[:, None]
    shared = (probabilities * truth).sum(dim=(0, 2, 3))
    pixels = truth.sum(dim=(0, 2, 3))
    present = pixels > 0
    wrong, missed = probabilities.sum(dim=(0, 2, 3)) - shared, pixels - shared
    denominator = (shared + false_positives * wrong + false_negatives * missed).where(present, 1)
    # An exact 0 has no finite slope under a power below 1.
    deficits = (1 - shared / denominator).clamp(min=1e-12).where(present, 1)
    return (deficits**power * present).sum() / present.sum().clamp(min=1)
