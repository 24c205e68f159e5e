"""A trained network that gives a tile a class."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from beamforge.arrays import Float32, Integers
from beamforge.errors import InputError
from beamforge.learning.architectures.base import CLASSIFICATION, TaskName
from beamforge.learning.tiles import TileGrid
from beamforge.learning.trained import Description, TrainedNetwork


class ClassifierDescription(Description):
    """The content of a classifier's ``model.json``."""

    task: Literal["classification"] = "classification"


class Classifier(TrainedNetwork[ClassifierDescription]):
    """A trained network that gives images, or the tiles of an image, one class each."""

    task: ClassVar[TaskName] = CLASSIFICATION
    description_class = ClassifierDescription

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images to the log-probabilities of their classes.

        Parameters
        ----------
        images
            float32 (batch, channel, y, x) in the stack's own units, of any size; pixels that are not finite are filled
            with the channel's centre.

        Returns
        -------
        float32 (batch, class).

        Raises
        ------
        InputError
            If the shape does not fit the model.
        """
        return self._log_softmax(images)[:, :, 0, 0]

    def predict(self, images: Float32) -> Integers:
        """Give the most probable class (batch,) of images (batch, channel, y, x)."""
        classes: Integers = self.log_probabilities(images).argmax(axis=1)
        return classes

    def tile_probabilities(self, stack: xr.DataArray, *, tile: int | None = None, batch: int = 32) -> xr.DataArray:
        """Cut a stack into tiles side by side and give the probabilities of their classes.

        The last tiles of each row and column are moved inside, so that every tile holds real pixels only.

        Parameters
        ----------
        stack
            (channel, y, x), at least one tile large.
        tile
            Side of the tiles in px; by default that of the tiles it was trained on.
        batch
            Tiles computed at once.

        Returns
        -------
        float32 (class, y, x) with one pixel for every tile; ``class`` has the names as coordinates, ``y`` and ``x``
        the first pixels of the tiles.

        Raises
        ------
        InputError
            If the stack is smaller than a tile or has other channels.
        """
        side = self.tile if tile is None else tile
        shape = stack.sizes["y"], stack.sizes["x"]
        if min(shape) < side:
            raise InputError(f"the image is {shape[0]}×{shape[1]} px, smaller than a tile of {side} px; set tile")
        tops, lefts = ([min(start, length - side) for start in range(0, length, side)] for length in shape)
        origins = [(top, left) for top in tops for left in lefts]
        found = []
        for first in range(0, len(origins), batch):
            windows = (TileGrid(shape, side).window(origin) for origin in origins[first : first + batch])
            tiles = [np.asarray(stack[:, rows, columns].values, dtype=np.float32) for rows, columns in windows]
            found.append(np.exp(self.log_probabilities(np.stack(tiles))))
        values = np.concatenate(found).T.reshape(len(self.classes), len(tops), len(lefts))
        return xr.DataArray(
            values,
            dims=("class", "y", "x"),
            coords={"class": list(self.classes.names), "y": tops, "x": lefts},
            attrs={"tile": side},
        )
