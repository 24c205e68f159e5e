"""Images of classes as runs of equal class along rows, so that loops over pixels know their class beforehand."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class Runs(NamedTuple):
    """Runs of equal class along the rows of an image.

    Attributes
    ----------
    shape
        (y, x) of the image.
    arrays
        (y + 1,) where the runs of each row begin in the two others; the column after the end of each run; its class.
    """

    shape: tuple[int, int]
    arrays: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]

    @classmethod
    def of(cls, classes: NDArray[np.uint8]) -> Self:
        """Find the runs of an image (y, x) of class numbers."""
        height, width = classes.shape
        last = np.ones(classes.shape, dtype=bool)
        np.not_equal(classes[:, 1:], classes[:, :-1], out=last[:, :-1])
        places = np.flatnonzero(last.ravel())
        begins = np.searchsorted(places, np.arange(height + 1) * width)
        return cls((height, width), (begins, (places % width + 1).astype(np.int32), classes.ravel()[places]))
