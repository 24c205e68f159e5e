"""A bounded look at an array that may be far larger than memory."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from dask.base import compute
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

_BUDGET = 2**23
"""Most values that are looked at."""

_MOST_CHANNELS = 1024
_BANDS = 4
_PERCENTILES = (0.1, 1.0, 25.0, 50.0, 75.0, 99.0, 99.9)
_BINS = 40


class Statistics(BaseModel):
    """What the values of an array are, as far as looked at.

    ``fraction`` is the share of all values that was looked at (1 = all). Counts are of the values looked at; NaN and
    infinities are counted and then left out. ``constant`` numbers the channels that hold one value only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fraction: float
    looked_at: int
    nan: int
    infinite: int
    negative: int
    at_type_limit: int
    low: float | None
    high: float | None
    mean: float | None
    sd: float | None
    percentiles: dict[float, float]
    histogram_edges: tuple[float, ...]
    histogram: tuple[int, ...]
    constant: tuple[int, ...]


def bands(rows: int, wanted: int) -> list[slice]:
    """Choose rows spread over an image: all of them, or a few bands of together `wanted` rows."""
    if wanted >= rows:
        return [slice(0, rows)]
    count = min(_BANDS, max(1, wanted))
    each = max(1, wanted // count)
    starts = np.linspace(0, rows - each, count).astype(int)
    return [slice(int(start), int(start) + each) for start in starts]


def take_sample(stack: da.Array) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Read values of a (channel, y, x) array, spread over it, at most about 8 million.

    Returns
    -------
    values
        (channel, value).
    numbers
        Which channels they are of.
    """
    count, rows, columns = stack.shape
    numbers = tuple(dict.fromkeys(np.linspace(0, count - 1, min(count, _MOST_CHANNELS)).astype(int).tolist()))
    chosen = bands(rows, max(1, _BUDGET // (len(numbers) * columns)))
    parts = [[stack[number, band] for band in chosen] for number in numbers]
    # Chunk by chunk in few threads, so that large chunks do not stand in memory together.
    (read,) = compute(parts, scheduler="threads", num_workers=2)
    values = np.stack([np.concatenate([np.asarray(band).ravel() for band in channel]) for channel in read])
    return values, numbers


def statistics_of(stack: da.Array) -> Statistics:
    """Describe the values of a (channel, y, x) array from a sample."""
    values, numbers = take_sample(stack)
    plain = values.astype(np.uint8) if values.dtype.kind == "b" else values
    limit = int(np.iinfo(plain.dtype.name).max) if plain.dtype.kind in "ui" else None
    constant = tuple(n for n, v in zip(numbers, plain, strict=True) if v.size > 1 and bool((v == v[0]).all()))
    nan, infinite = int(np.isnan(plain).sum()), int(np.isinf(plain).sum())
    finite = plain[np.isfinite(plain)].astype(np.float64)
    if not finite.size:
        edges, counts = np.zeros(0), np.zeros(0, dtype=int)
    else:
        counts, edges = np.histogram(finite, bins=_BINS)
    return Statistics(
        fraction=plain.size / float(np.prod(stack.shape, dtype=np.float64)),
        looked_at=plain.size,
        nan=nan,
        infinite=infinite,
        negative=int((finite < 0).sum()),
        at_type_limit=int((plain == limit).sum()) if limit is not None else 0,
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        mean=float(finite.mean()) if finite.size else None,
        sd=float(finite.std()) if finite.size else None,
        percentiles=dict(zip(_PERCENTILES, np.percentile(finite, _PERCENTILES).tolist(), strict=True))
        if finite.size
        else {},
        histogram_edges=tuple(edges.tolist()),
        histogram=tuple(counts.tolist()),
        constant=constant,
    )
