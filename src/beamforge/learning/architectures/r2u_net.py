"""R2U-Net: recurrent residual blocks instead of plain convolutions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import PositiveInt

from beamforge.learning.architectures.plain_u_shape import PlainUShape

if TYPE_CHECKING:
    from torch import nn


class R2UNet(PlainUShape, name="r2u_net"):
    """U-Net of recurrent residual blocks.

    Source: Alom et al. 2018.

    Attributes
    ----------
    rounds
        How often each convolution is applied again to its own result.
    """

    rounds: PositiveInt = 2

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights."""
        from beamforge.learning.u_shape import RecurrentResidual, UShape

        return UShape(channels, classes, self.widths, partial(RecurrentResidual, rounds=self.rounds))
