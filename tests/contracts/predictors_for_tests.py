"""Predictors with a known answer or a known reach; in a module of their own, so that subprocesses can import them."""

from dataclasses import dataclass

import numpy as np

from beamforge.arrays import Float32
from beamforge.stack import Channel, Classes

CLASSES = Classes(names=("air", "water", "quartz"))


@dataclass(frozen=True)
class Nearest:
    """Each pixel by itself: the class whose number is nearest to the mean of its channels."""

    channels: tuple[Channel, ...] = (Channel(),)
    classes: Classes = CLASSES
    halo: int = 0
    multiple: int = 1

    def log_probabilities(self, images: Float32) -> Float32:
        levels = np.arange(len(self.classes), dtype=np.float32)[:, None, None]
        scores = -((images.mean(axis=1)[:, None] - levels) ** 2)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Conv:
    """A small random U-Net of two poolings; `reach` px around a pixel decide about it and no more."""

    channels: tuple[Channel, ...] = (Channel(mode="H0"), Channel(mode="DF"))
    classes: Classes = CLASSES
    halo: int = 20
    multiple: int = 4
    seed: int = 0

    def log_probabilities(self, images: Float32) -> Float32:
        import torch
        from torch.nn import functional

        random = torch.Generator().manual_seed(self.seed)

        def conv(values: torch.Tensor, out: int) -> torch.Tensor:
            weights = torch.randn((out, values.shape[1], 3, 3), generator=random) / values.shape[1] ** 0.5
            return functional.elu(functional.conv2d(values, weights, padding=1))

        with torch.inference_mode():
            # Reach: 1 + 2 (pool) + 2 + 4 (pool) + 4 + 2 + 1 px, and up to 3 by the place within the pooling grid.
            first = conv(torch.from_numpy(np.ascontiguousarray(images)), 6)
            second = conv(functional.max_pool2d(first, 2), 6)
            third = conv(functional.max_pool2d(second, 2), 6)
            up = conv(torch.cat([functional.interpolate(third, scale_factor=2.0), second], 1), 6)
            last = conv(torch.cat([functional.interpolate(up, scale_factor=2.0), first], 1), len(self.classes))
            return torch.log_softmax(last, 1).numpy()
