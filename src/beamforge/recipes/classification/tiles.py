"""The tiles of pictures that judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beamforge.io import AnnotatedPicture
from beamforge.learning.data import LabelledImages
from beamforge.stack import channels_of, classes_of


class InsideTiles(LabelledImages):
    """Tiles of pictures side by side; the last ones of each row and column are moved inside.

    So every tile holds measured pixels only, as where `Classifier.tile_probabilities` classifies a picture.

    Parameters
    ----------
    pictures
        At least one tile large each.
    tile
        Side of the tiles in px.
    """

    def __init__(self, pictures: Sequence[AnnotatedPicture], tile: int) -> None:
        self.places: list[tuple[int, slice, slice]] = []
        for number, picture in enumerate(pictures):
            extents = picture.stack.sizes["y"], picture.stack.sizes["x"]
            tops, lefts = ([min(start, extent - tile) for start in range(0, extent, tile)] for extent in extents)
            self.places += [(number, slice(y, y + tile), slice(x, x + tile)) for y in tops for x in lefts]
        self.pictures = pictures
        super().__init__(classes_of(pictures[0].labels), channels_of(pictures[0].stack), len(self.places))

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Cut a tile."""
        number, rows, columns = self.places[index]
        picture = self.pictures[number]
        return picture.stack.values[:, rows, columns], picture.labels.values[rows, columns]
