"""Losses: functions of logits (batch, class, y, x) and labels (batch, y, x), one file each, registered by name.

Options are keyword arguments with defaults; a loss that can weigh classes takes ``weights``, a number for each class.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from beamforge.errors import InputError, one_of
from beamforge.learning.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

Loss = Callable[["Tensor", "Tensor"], "Tensor"]

LOSSES: Registry[Callable[..., Tensor]] = Registry("loss", "beamforge.learning.losses")


def create_loss(name: str, options: Mapping[str, Any], weights: Sequence[float] | None = None) -> Loss:
    """Fix the options of a loss.

    Parameters
    ----------
    name
        Name of the loss.
    options
        Its options by name.
    weights
        A weight for each class, or None for a loss without.

    Raises
    ------
    InputError
        For an unknown loss, an option it does not take, or weights for a loss that cannot weigh classes.
    """
    loss = LOSSES[name]
    known = set(inspect.signature(loss).parameters) - {"logits", "labels"}
    for key in options:
        if key not in known - {"weights"}:
            raise one_of(f"option of the loss {name!r}", key, known - {"weights"})
    if weights is None:
        return functools.partial(loss, **options)
    if "weights" not in known:
        raise InputError(f"the loss {name!r} cannot weigh classes; set class_weights to 'equal' or take another loss")
    return functools.partial(loss, weights=tuple(weights), **options)
