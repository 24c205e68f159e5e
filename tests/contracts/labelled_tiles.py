"""Small labelled tiles to train on in tests, that may be interrupted at a chosen sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from beamforge.stack import Channel, Classes


@dataclass
class SmallTiles:
    """Squares of three classes under noise; the sample depends on seed and number alone."""

    seed: int
    length: int = 12
    endless: bool = True
    side: int = 32
    noise: float = 1.0
    ignored: float = 0.1
    interrupt_at: int | None = None
    """Count of samples after which Ctrl-C is pressed."""
    taken: int = 0

    classes = Classes.numbered(3)
    channels = (Channel(mode="H0"), Channel(mode="H1"))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.interrupt_at is not None and self.taken >= self.interrupt_at:
            raise KeyboardInterrupt
        self.taken += 1
        rng = np.random.default_rng([self.seed, index])
        labels = rng.integers(0, 3, (self.side // 8, self.side // 8)).repeat(8, 0).repeat(8, 1)
        means = np.array([[100.0, 104.0, 102.0], [0.1, 0.2, 0.9]])
        image = means[:, labels] + rng.normal(0, self.noise, (2, self.side, self.side)) * [[[1.0]], [[0.1]]]
        image[:, rng.random(labels.shape) < 0.01] = np.nan
        labels[rng.random(labels.shape) < self.ignored] = 255
        return torch.from_numpy(image.astype(np.float32)), torch.from_numpy(labels)
