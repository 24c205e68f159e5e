"""The plain U-Net that nnU-Net takes: nothing but convolutions, instance normalisation and skip connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamforge.learning.architectures.plain_u_shape import PlainUShape

if TYPE_CHECKING:
    from torch import nn

_WIDEST = 512


class PlainUNet(PlainUShape, name="plain_unet"):
    """U-Net as nnU-Net configures it for 2D images, without deep supervision.

    Instance normalisation needs no batch, so that it trains on single images as well.

    Source: Isensee et al. 2021: two 3×3 convolutions per resolution with instance normalisation and leaky ReLU,
    strided convolutions down, transposed convolutions up, at most 512 channels.
    """

    @property
    def widths(self) -> list[int]:
        """Channels at each resolution, the finest first."""
        return [min(width, _WIDEST) for width in super().widths]

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights."""
        from beamforge.learning.plain_unet import PlainUNetLayers

        return PlainUNetLayers(channels, classes, self.widths)
