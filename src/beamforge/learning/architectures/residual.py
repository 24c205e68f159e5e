"""A small network at full resolution, for objects of a few pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import PositiveInt

from beamforge.learning.architectures.base import Architecture

if TYPE_CHECKING:
    from torch import nn


class Residual(Architecture, name="residual"):
    """Residual blocks of two 3×3 convolutions without any pooling.

    What is a few pixels large is lost in networks that begin by halving the resolution. With 16 channels and 5 blocks
    it has 24 k parameters and sees 23 px.

    Source: the blocks are those of He et al. 2016.
    """

    head: ClassVar[tuple[str, ...]] = ("head.",)

    width: PositiveInt = 16
    blocks: PositiveInt = 5

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights."""
        from collections import OrderedDict

        from torch import nn

        from beamforge.learning.residual_block import ResidualBlock

        parts: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Conv2d(channels, self.width, 3, padding=1))
        for number in range(self.blocks):
            parts[f"block{number}"] = ResidualBlock(self.width)
        parts["head"] = nn.Conv2d(self.width, classes, 1)
        return nn.Sequential(parts)

    def multiple(self, network: nn.Module) -> int:
        """Any size will do."""
        return 1
