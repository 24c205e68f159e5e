"""What the networks share that bring their own encoder: width and depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt

from beamforge.learning.architectures.base import Architecture

if TYPE_CHECKING:
    from torch import nn


class PlainUShape(Architecture):
    """A U-shaped network without a pretrained encoder.

    Attributes
    ----------
    width
        Channels at the finest resolution; every coarser one has twice as many.
    depth
        Number of resolutions.
    """

    head: ClassVar[tuple[str, ...]] = ("head.",)

    width: PositiveInt = 16
    depth: int = Field(default=5, ge=2, le=7)

    @property
    def widths(self) -> list[int]:
        """Channels at each resolution, the finest first."""
        return [self.width * 2**level for level in range(self.depth)]

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by: every coarser resolution halves them."""
        return int(2 ** (self.depth - 1))
