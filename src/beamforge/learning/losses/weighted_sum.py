"""Any sum of losses, such as cross-entropy plus half the mean squared error."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from beamforge.errors import InputError
from beamforge.learning.losses import LOSSES, create_loss

if TYPE_CHECKING:
    from torch import Tensor

_DEFAULT = {"cross_entropy": 1.0, "dice": 1.0}


@LOSSES.register("weighted_sum")
def weighted_sum(
    logits: Tensor, labels: Tensor, *, terms: Mapping[str, float] = _DEFAULT, weights: Sequence[float] | None = None
) -> Tensor:
    """Give Σ factor · loss over other losses with their default options.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x), 255 = ignore.
    terms
        Factor of each loss, by its name.
    weights
        Weight of each class, for those of the losses that can weigh classes.

    Raises
    ------
    InputError
        For an unknown loss, the sum itself among its terms, or no term.
    """
    if not terms or "weighted_sum" in terms:
        raise InputError(f"weighted_sum: terms are {dict(terms)}, expected other losses with their factors")
    total = logits.new_zeros(())
    for name, factor in terms.items():
        total = total + factor * create_loss(name, {}, weights if _weighs(name) else None)(logits, labels)
    return total


def _weighs(name: str) -> bool:
    return "weights" in inspect.signature(LOSSES[name]).parameters
