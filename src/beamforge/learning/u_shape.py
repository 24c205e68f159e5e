"""Blocks of the networks that are written here because no library keeps them; imported when a network is built."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

BlockMaker = Callable[[int, int], nn.Module]


def convolution(channels: int, out: int, size: int = 3) -> nn.Sequential:
    """Make a convolution that keeps the image's size, with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, size, padding=size // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


class TwoConvolutions(nn.Sequential):
    """Two convolutions, as at every resolution of a U-Net."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(convolution(channels, out), convolution(out, out))


class RecurrentConvolution(nn.Module):
    """One convolution applied again and again to its own result plus the input, each time with the same weights.

    Every round has a normalisation of its own: what goes into the convolution differs from round to round, and running
    statistics shared by all of them fit none, so that such a network answers nonsense once it stops training.

    Source: Liang and Hu 2015; the normalisation after Cooijmans et al. 2017, who found the same of recurrent networks.
    """

    def __init__(self, channels: int, rounds: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(rounds + 1))

    def forward(self, image: Tensor) -> Tensor:
        """Convolve."""
        state = torch.zeros_like(image)
        for norm in self.norms:
            state = torch.relu(norm(self.convolution(image + state)))
        return state


class RecurrentResidual(nn.Module):
    """Two recurrent convolutions with a residual connection around them.

    Source: Alom et al. 2018, Fig. 4d.
    """

    def __init__(self, channels: int, out: int, rounds: int) -> None:
        super().__init__()
        self.entry = nn.Conv2d(channels, out, 1)
        self.recurrent = nn.Sequential(RecurrentConvolution(out, rounds), RecurrentConvolution(out, rounds))

    def forward(self, image: Tensor) -> Tensor:
        """Convolve and add."""
        entered: Tensor = self.entry(image)
        result: Tensor = entered + self.recurrent(entered)
        return result


class AttentionGate(nn.Module):
    """Lets through of a skip connection what the coarser features ask for.

    Source: Oktay et al. 2018, Eqs. 1-2, at the skip's own resolution (the coarser features are enlarged before).
    """

    def __init__(self, skip: int, gate: int) -> None:
        super().__init__()
        inner = max(1, skip // 2)
        self.of_skip = nn.Sequential(nn.Conv2d(skip, inner, 1, bias=False), nn.BatchNorm2d(inner))
        self.of_gate = nn.Sequential(nn.Conv2d(gate, inner, 1, bias=False), nn.BatchNorm2d(inner))
        self.weight = nn.Sequential(nn.Conv2d(inner, 1, 1), nn.Sigmoid())

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Weigh the skip connection by one number between 0 and 1 for each pixel."""
        weights: Tensor = self.weight(torch.relu(self.of_skip(skip) + self.of_gate(gate)))
        return skip * weights


class UShape(nn.Module):
    """Blocks at ever coarser resolutions, then back with skip connections; image sides are divisible by 2^(depth − 1).

    Parameters
    ----------
    channels, classes
        Of image and logits.
    widths
        Channels at each resolution, the finest first.
    block
        Makes the block of a resolution from its channels in and out.
    gated
        Whether attention gates stand in the skip connections.
    """

    def __init__(
        self, channels: int, classes: int, widths: list[int], block: BlockMaker, *, gated: bool = False
    ) -> None:
        super().__init__()
        before = [channels, *widths[:-1]]
        self.down = nn.ModuleList(block(inside, out) for inside, out in zip(before, widths, strict=True))
        pairs = list(zip(widths[-2::-1], widths[:0:-1], strict=True))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), convolution(coarse, fine))
            for fine, coarse in pairs
        )
        self.gates = nn.ModuleList(AttentionGate(fine, fine) for fine, _ in pairs) if gated else None
        self.join = nn.ModuleList(block(2 * fine, fine) for fine, _ in pairs)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Compute logits (batch, class, y, x)."""
        skips: list[Tensor] = []
        features = image
        for number, block in enumerate(self.down):
            features = block(features if number == 0 else self.pool(features))
            skips.append(features)
        skips.pop()
        for number, (enlarge, join) in enumerate(zip(self.up, self.join, strict=True)):
            features = enlarge(features)
            skip = skips.pop()
            if self.gates is not None:
                skip = self.gates[number](skip, features)
            features = join(torch.cat([skip, features], dim=1))
        logits: Tensor = self.head(features)
        return logits
