"""From raw diffraction projections to binary spots, projection by projection."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.classical.diffraction.laplacian import without_small
from beamforge.errors import InputError
from beamforge.io import open_label_writer
from beamforge.predictor import Predictor
from beamforge.progress import tracked
from beamforge.provenance import provenance as describe_origin
from beamforge.reduction.projections import CHANNEL, WINDOW, contrast, rolling_background
from beamforge.segmentation.blending import blended_blocks
from beamforge.segmentation.source import as_source
from beamforge.segmentation.tiling import Tiling
from beamforge.stack import Channel, Classes, as_stack, is_simulated

SPOT = "spot"
CLASSES = Classes(names=("background", SPOT), colours=("#9498a0", "#ff725c"))

Mask = NDArray[np.bool_]
Precision = Literal["fp32", "bf16", "auto"]


class SpotFinder(Protocol):
    """Marks the spots of a projection minus its background."""

    def mask(self, difference: Float32) -> Mask:
        """Mark the spots (y, x)."""
        ...


class NetworkSpotFinder:
    """Marks what a network holds to be spots on the contrast of a projection.

    Parameters
    ----------
    predictor
        A predictor of one channel, ``diffraction contrast``, with a class ``spot``.
    probability
        From which a pixel is one.
    minimum
        Pixels of a spot.
    tile
        Side of the tiles in px.
    precision
        Of the network's convolutions: ``bf16`` takes about half of the time where a processor or accelerator computes
        in it, and shifts few pixels at the edges of spots; ``auto`` takes it there only.

    Raises
    ------
    InputError
        If the predictor is of another kind or the probability none.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        probability: float = 0.5,
        minimum: int = 3,
        tile: int | None = None,
        precision: Precision = "fp32",
    ) -> None:
        if not 0.0 < probability < 1.0 or minimum < 1:
            raise InputError(f"probability {probability:g}, minimum {minimum}: expected between 0 and 1, and 1 or more")
        if predictor.channels != (Channel(mode=CHANNEL),) or SPOT not in predictor.classes.names:
            raise InputError(
                f"the model takes {[c.label for c in predictor.channels]} and knows the classes "
                f"{list(predictor.classes.names)}; projections are cleaned by a model that takes [{CHANNEL!r}] and "
                f"knows the class {SPOT!r}, see docs/labdct.md"
            )
        self.predictor = predictor
        self.probability = probability
        self.minimum = minimum
        self.precision: Precision = precision
        self.tiling = Tiling.choose(tile, predictor.halo, predictor.multiple)

    def probabilities(self, difference: Float32) -> Float32:
        """Give the probability of each pixel (y, x) to be of a spot."""
        seen = as_stack(contrast(difference), self.predictor.channels)
        source = as_source(seen, self.predictor.channels)
        number = self.predictor.classes.names.index(SPOT)
        result = np.empty(difference.shape, np.float32)
        with _computing_in(self.precision):
            for block in blended_blocks(self.predictor, source, self.tiling, None):
                result[block.rows, block.columns] = np.exp(block.log_probabilities[number])
        return result

    def mask(self, difference: Float32) -> Mask:
        """Mark the spots (y, x)."""
        return without_small(self.probabilities(difference) >= self.probability, self.minimum)


def _computing_in(precision: Precision) -> AbstractContextManager[Any]:
    if precision == "fp32":
        return nullcontext()
    import torch

    from beamforge.learning.runtime import precision_of

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = precision_of(precision, device)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=chosen == torch.bfloat16)


@dataclass(frozen=True)
class CleanedSpots:
    """What a cleaning gave.

    Attributes
    ----------
    path
        The binary spots (projection, y, x).
    projections
        How many.
    share
        Share of the pixels that are spots.
    seconds
        How long it took.
    """

    path: Path
    projections: int
    share: float
    seconds: float


def clean_spots(
    finder: SpotFinder,
    stack: xr.DataArray,
    out: str | Path,
    *,
    window: int = WINDOW,
    progress: bool = True,
    provenance: Mapping[str, Any] | None = None,
) -> CleanedSpots:
    """Turn raw projections into binary spots; background becomes 0.

    Memory holds the window of the rolling median and not the stack. The file appears when all is done.

    Parameters
    ----------
    finder
        A network (`NetworkSpotFinder`) or the standard routine (`beamforge.classical.diffraction.LaplacianSpots`).
    stack
        Projections (channel, y, x) in the order of their angles; it may be lazy.
    out
        ``NAME.tif`` or ``NAME.zarr``.
    window
        Projections of the rolling median, odd.
    progress
        Whether to show how far the work is.
    provenance
        What is known about the origin of finder and stack.

    Raises
    ------
    InputError
        If the stack is too short for the window, a projection is zero everywhere or not finite, or `out` has another
        ending.
    BeamforgeError
        If the disk is full.
    """
    started = time.perf_counter()
    pairs = rolling_background(stack, window)
    first = next(pairs)
    scale = {key: stack.attrs[key] for key in ("pixel_size", "pixel_size_unit") if key in stack.attrs}
    origin = describe_origin(simulated=is_simulated(stack), finder=type(finder).__name__, window=window)
    spots, count = 0, int(stack.sizes["channel"])
    with open_label_writer(out, stack.shape, CLASSES, provenance=origin | dict(provenance or {}), **scale) as writer:
        numbers = range(count)
        for number in tracked(numbers, "cleaning") if progress else numbers:
            projection, background = first if number == 0 else next(pairs)
            mask = finder.mask(projection - background)
            writer.write(mask[None].astype(np.uint8), (number, 0, 0))
            spots += int(mask.sum())
    share = spots / float(np.prod(stack.shape))
    return CleanedSpots(Path(out), count, share, time.perf_counter() - started)
