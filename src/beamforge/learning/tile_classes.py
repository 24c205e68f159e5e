"""Tiles with one class each, as data for classification."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.learning.tile_rules import AnyPixel, DrawnClass, TileRule
from beamforge.stack import Channel

__all__ = ["AnyPixel", "DrawnClass", "TileClasses", "TileRule"]


class TileClasses(Dataset[tuple[Tensor, Tensor]]):
    """Labelled images with one class each: the labels are an image of a single pixel.

    Parameters
    ----------
    images
        Images with a label for every pixel, or simulated ones.
    rule
        What the class of a tile is; by default the class other than class 0 that any pixel has.
    """

    def __init__(self, images: LabelledImages, rule: TileRule | None = None) -> None:
        self.images = images
        self.rule = rule or AnyPixel()
        self.classes = self.rule.classes_of(images.classes)
        self.channels: tuple[Channel, ...] = images.channels
        self.endless = images.endless

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        sample = self.images.sample(index)
        image = np.array(sample.image, dtype=np.float32, order="C")
        return torch.from_numpy(image), torch.full((1, 1), self.rule(sample), dtype=torch.int64)

    def counts(self) -> dict[str, int]:
        """Count the tiles of each class over the length of the data.

        Raises
        ------
        InputError
            If a class has no tile.
        """
        numbers = [self.rule(self.images.sample(index)) for index in range(len(self))]
        found = {name: numbers.count(number) for number, name in enumerate(self.classes.names)}
        missing = [name for name, count in found.items() if count == 0]
        if missing:
            raise InputError(
                f"none of the {len(self)} tiles shows {' or '.join(missing)} (found: {found}); add images of it, or "
                "split them otherwise"
            )
        return found
