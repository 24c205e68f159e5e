"""A decoder of pixel shuffles on any encoder; imported when a network is built."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from beamforge.learning.residual_block import ResidualBlock
from beamforge.learning.u_shape import TwoConvolutions


def icnr_(weight: Tensor, scale: int = 2) -> None:
    """Fill the weights of a convolution before a pixel shuffle so that the pixels of a block start alike.

    Source: Aitken et al. 2017.
    """
    first = torch.empty(weight.shape[0] // scale**2, *weight.shape[1:])
    nn.init.kaiming_normal_(first, nonlinearity="relu")
    with torch.no_grad():
        weight.copy_(first.repeat_interleave(scale**2, dim=0))


class ShuffleUp(nn.Sequential):
    """Doubles the resolution: 1×1 convolution to four times the channels, which become 2×2 pixels."""

    def __init__(self, channels: int, out: int) -> None:
        convolution = nn.Conv2d(channels, 4 * out, 1)
        icnr_(convolution.weight)
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        super().__init__(convolution, nn.PixelShuffle(2), nn.ReLU(inplace=True))


class DynamicUShape(nn.Module):
    """An encoder and a decoder that follows its resolutions.

    Parameters
    ----------
    encoder
        Gives a list of features, the finest first.
    widths, strides
        Channels and strides of the features.
    channels, classes
        Of image and logits.
    width
        Channels at full resolution.
    """

    def __init__(
        self,
        encoder: nn.Module,
        widths: Sequence[int],
        strides: Sequence[int],
        channels: int,
        classes: int,
        width: int,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.stride = int(strides[-1])
        self._strides = [int(stride) for stride in strides]
        self.normalised = nn.ModuleList(nn.BatchNorm2d(w) for w in widths[:-1])
        self.ups = nn.ModuleList()
        self.joins = nn.ModuleList()
        coming, stride, place = widths[-1], self.stride, len(widths) - 2
        self._skips: list[int] = []
        while stride > 1:
            stride //= 2
            # Encoders may begin by a stride of 4: then there is nothing to join at 2.
            skip = place if place >= 0 and self._strides[place] == stride else -1
            place -= skip >= 0
            joined = widths[skip] if skip >= 0 else 0
            out = width if stride == 1 else max(width, min(joined or width, coming // 2))
            self.ups.append(ShuffleUp(coming, max(width, coming // 2)))
            last = channels if stride == 1 else 0
            self.joins.append(TwoConvolutions(max(width, coming // 2) + joined + last, out))
            self._skips.append(skip)
            coming = out
        self.finish = ResidualBlock(coming)
        self.head = nn.Conv2d(coming, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Compute logits (batch, class, y, x)."""
        features: list[Tensor] = self.encoder(image)
        x = features[-1]
        for number, (up, join, skip) in enumerate(zip(self.ups, self.joins, self._skips, strict=True)):
            parts = [up(x)]
            if skip >= 0:
                parts.append(torch.relu(self.normalised[skip](features[skip])))
            if number == len(self.ups) - 1:
                parts.append(image)
            x = join(torch.cat(parts, dim=1))
        logits: Tensor = self.head(self.finish(x))
        return logits
