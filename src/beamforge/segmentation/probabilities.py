"""Writing class probabilities block by block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from scipy.special import softmax

from beamforge.files import atomic_path
from beamforge.segmentation.blending import Block
from beamforge.stack import Classes

_CHUNK = 256


class ProbabilityWriter:
    """Takes blocks; made by `open_probability_writer`."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        self._array = array

    def see(self, block: Block, labels: np.ndarray) -> None:
        """Turn the log-probabilities of a block into probabilities and store them."""
        values = softmax(block.log_probabilities, axis=0).astype(np.float16)
        plane = () if self._array.ndim == 3 else (block.plane,)
        self._array[:, *plane, block.rows, block.columns] = values


@contextlib.contextmanager
def open_probability_writer(
    path: Path, shape: tuple[int, ...], classes: Classes, attributes: Mapping[str, Any]
) -> Iterator[ProbabilityWriter]:
    """Open a Zarr array float16 (class, y, x) or (class, z, y, x); it appears when the block ends well.

    Parameters
    ----------
    path
        Where it will stand.
    shape
        (y, x) or (z, y, x) in px.
    classes
        What the classes are; kept as attributes.
    attributes
        Further ones, JSON-able.
    """
    chunks = (len(classes), *(1 for _ in shape[:-2]), *(min(_CHUNK, side) for side in shape[-2:]))
    with atomic_path(path) as temporary:
        array = zarr.create_array(
            temporary,
            shape=(len(classes), *shape),
            chunks=chunks,
            dtype=np.float16,
            fill_value=np.nan,
            dimension_names=("class", "z", "y", "x") if len(shape) == 3 else ("class", "y", "x"),
            attributes={"classes": classes.model_dump(mode="json"), **attributes},
        )
        yield ProbabilityWriter(array)
