"""Small tiles of two classes to train classifiers on in tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from beamforge.stack import Channel, Classes


@dataclass
class StripedTiles:
    """Noise, and noise with a bright line across; the tile depends on seed and number alone."""

    seed: int
    length: int = 16
    endless: bool = True
    side: int = 32
    line: float = 3.0
    interrupt_at: int | None = None
    """Count of tiles after which Ctrl-C is pressed."""
    taken: int = 0

    classes = Classes(names=("free", "line"))
    channels = (Channel(),)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.interrupt_at is not None and self.taken >= self.interrupt_at:
            raise KeyboardInterrupt
        self.taken += 1
        rng = np.random.default_rng([self.seed, index])
        image = 100 + rng.normal(0, 1, (1, self.side, self.side))
        label = index % 2
        if label:
            image[0, int(rng.integers(4, self.side - 4))] += self.line
        return torch.from_numpy(image.astype(np.float32)), torch.full((1, 1), label, dtype=torch.int64)
