"""Attention U-Net: gates in the skip connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.architectures.plain_u_shape import PlainUShape

if TYPE_CHECKING:
    from torch import nn


class AttentionUNet(PlainUShape, name="attention_unet"):
    """U-Net whose skip connections pass what the coarser features ask for.

    Source: Oktay et al. 2018.
    """

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights."""
        from beamforge.learning.u_shape import TwoConvolutions, UShape

        return UShape(channels, classes, self.widths, TwoConvolutions, gated=True)
