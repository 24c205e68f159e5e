"""Where tiles lie along one axis, and how neighbours share the pixels between them.

Tiles start at multiples of what the network's strides divide by, so that its pooling grids fall on the same pixels as
in the whole image, and reach beyond the image only where the whole image would be padded too. Of each tile only pixels
at least the halo away from its inner borders count. Hence the tiled result equals that of the whole image wherever the
network sees no further than the halo; where it does see further, neighbours fade into each other over the blend width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from beamforge.arrays import Float32
from beamforge.errors import InputError

_LARGEST_BLEND = 32
_DEFAULT_TILE = 768


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in px of the image.

    Attributes
    ----------
    start, stop
        What the predictor sees; `stop` may lie beyond the image.
    begin, end
        What of it counts.
    fade_in, fade_out
        How many of the counting pixels at either end are shared with a neighbour.
    """

    start: int
    stop: int
    begin: int
    end: int
    fade_in: int
    fade_out: int

    @property
    def counting(self) -> slice:
        """The counting pixels, counted from the tile's start."""
        return slice(self.begin - self.start, self.end - self.start)

    @property
    def final(self) -> slice:
        """The pixels of the image that no later tile adds to."""
        return slice(self.begin, self.end - self.fade_out)

    @cached_property
    def weights(self) -> Float32:
        """Weight of each counting pixel; those of neighbours add up to one."""
        weights = np.ones(self.end - self.begin, dtype=np.float32)
        weights[: self.fade_in] = _rise(self.fade_in)
        weights[len(weights) - self.fade_out :] = 1 - _rise(self.fade_out)
        return weights


def _rise(width: int) -> Float32:
    """Rise smoothly from 0 to 1, reaching neither."""
    return np.sin(0.5 * np.pi * (np.arange(width) + 0.5) / max(width, 1), dtype=np.float64).astype(np.float32) ** 2


@dataclass(frozen=True)
class Tiling:
    """How large tiles are and how far they overlap, in px.

    Attributes
    ----------
    tile
        Largest side of a tile.
    halo
        Context that a pixel needs around itself.
    blend
        Width over which neighbours fade into each other.
    multiple
        Divisor of valid sides and starts.
    """

    tile: int
    halo: int
    blend: int
    multiple: int

    @classmethod
    def choose(cls, tile: int | None, halo: int, multiple: int) -> Tiling:
        """Complete the settings.

        Without a halo neighbours agree and nothing is blended; otherwise they fade over as much as the halo, at most
        32 px. The default tile is four overlaps wide, so that less than half of the work is done twice.

        Raises
        ------
        InputError
            If the tile is too small for its overlaps.
        """
        if halo < 0:
            raise InputError(f"halo is {halo} px, expected 0 or more")
        blend = min(halo, _LARGEST_BLEND)
        overlap = _up(2 * halo + blend, multiple)
        # Fading zones of one tile must not meet, also after rounding.
        smallest = _up(overlap + 2 * blend, multiple) + (2 if blend else 1) * multiple
        wanted = max(_DEFAULT_TILE, 4 * overlap) if tile is None else tile
        if wanted < smallest:
            raise InputError(
                f"a tile of {wanted} px is too small for a halo of {halo} px on either side; choose at least {smallest}"
            )
        return cls(_up(wanted, multiple), halo, blend, multiple)

    @property
    def overlap(self) -> int:
        """How far neighbours overlap at least."""
        return _up(2 * self.halo + self.blend, self.multiple)

    def spans(self, size: int) -> tuple[Span, ...]:
        """Lay as few tiles as possible over an axis of this many px, evenly and no larger than needed."""
        padded = _up(size, self.multiple)
        stride = self.tile - self.overlap
        count = max(1, -(-(padded - self.overlap) // stride))
        side = _up(-(-(padded + (count - 1) * self.overlap) // count), self.multiple)
        steps = (padded - side) // self.multiple
        starts = [number * steps // max(count - 1, 1) * self.multiple for number in range(count)]
        # The overlap of two neighbours is divided in its middle.
        seams = [(later + start + side - self.blend) // 2 for start, later in pairwise(starts)]
        begins = [0, *seams]
        ends = [*(seam + self.blend for seam in seams), size]
        return tuple(
            Span(
                start,
                start + side,
                begin,
                end,
                fade_in=self.blend if start else 0,
                fade_out=self.blend if start + side < padded else 0,
            )
            for start, begin, end in zip(starts, begins, ends, strict=True)
        )

    def count(self, height: int, width: int) -> int:
        """How many tiles an image has."""
        return len(self.spans(height)) * len(self.spans(width))


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
