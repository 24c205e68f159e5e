"""The layers of the plain U-Net, apart from its config because they need torch to be defined."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SLOPE = 0.01


def _convolution(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, stride=stride, padding=1),
        nn.InstanceNorm2d(out, affine=True),
        nn.LeakyReLU(_SLOPE, inplace=True),
    )


def _stage(channels: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_convolution(channels, out, stride), _convolution(out, out))


class PlainUNetLayers(nn.Module):
    """Two convolutions at every resolution, down by strides, up by transposed convolutions.

    Parameters
    ----------
    channels, classes
        Of image and logits.
    widths
        Channels at each resolution, the finest first.
    """

    def __init__(self, channels: int, classes: int, widths: list[int]) -> None:
        super().__init__()
        before = [channels, *widths[:-1]]
        self.down = nn.ModuleList(
            _stage(inside, out, stride=1 if level == 0 else 2)
            for level, (inside, out) in enumerate(zip(before, widths, strict=True))
        )
        pairs = list(zip(widths[-2::-1], widths[:0:-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in pairs)
        self.join = nn.ModuleList(_stage(2 * fine, fine) for fine, _ in pairs)
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Compute logits (batch, class, y, x)."""
        skips: list[Tensor] = []
        features = image
        for stage in self.down:
            features = stage(features)
            skips.append(features)
        skips.pop()
        for enlarge, join in zip(self.up, self.join, strict=True):
            features = join(torch.cat([enlarge(features), skips.pop()], dim=1))
        logits: Tensor = self.head(features)
        return logits
