"""Losses: functions of logits (batch, class, y, x) and labels (batch, y, x), one file each, registered by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from beamforge.learning.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

LOSSES: Registry[Callable[[Tensor, Tensor], Tensor]] = Registry("loss", "beamforge.learning.losses")
