"""Growing a texture from a dictionary of patches: best-fitting patches, joined along cuts of least error.

Source: A. A. Efros and W. T. Freeman, "Image quilting for texture synthesis and transfer", SIGGRAPH 2001. Here the
patches on one anti-diagonal, which do not touch each other, are searched for together: one matrix product for each side
they overlap at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.statistics.compiled import compiled


def cut_patches(image: Float32, side: int, count: int, rng: Generator) -> tuple[Float32, NDArray[np.int64]]:
    """Cut square patches at random places of an image.

    Places are random and not on a grid, so that what was beside a patch in the image is seldom among the patches:
    the texture is grown and not copied.

    Parameters
    ----------
    image
        float32 (channel, y, x), at least one patch large.
    side, count
        Side of the patches in px, and how many.
    rng
        Random stream.

    Returns
    -------
    patches
        float32 (patch, channel, side, side).
    places
        (patch, 2) row and column of their first pixels in the image.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(1, 2))
    places = np.stack([rng.integers(extent, size=count) for extent in windows.shape[1:3]], axis=1)
    patches: Float32 = np.ascontiguousarray(windows[:, places[:, 0], places[:, 1]].swapaxes(0, 1))
    return patches, places


@dataclass(frozen=True)
class PatchDictionary:
    """Patches and, ready for the search, the strips at which they overlap with others.

    Attributes
    ----------
    patches
        float32 (patch, channel, side, side).
    places
        (patch, 2) where they are in the image they were cut from.
    overlap
        Width in px of the strip that neighbours share.
    """

    patches: Float32
    places: NDArray[np.int64]
    overlap: int

    @property
    def side(self) -> int:
        """Side of a patch in px."""
        return int(self.patches.shape[-1])

    @cached_property
    def left(self) -> Float32:
        """The strip at the left side of every patch as a vector: (patch, channel * side * overlap)."""
        return np.ascontiguousarray(self.patches[..., : self.overlap].reshape(len(self.patches), -1))

    @cached_property
    def top(self) -> Float32:
        """The strip at the upper side of every patch as a vector."""
        return np.ascontiguousarray(self.patches[..., : self.overlap, :].reshape(len(self.patches), -1))

    @cached_property
    def norms(self) -> tuple[Float32, Float32]:
        """Squared lengths (patch,) of the left and of the upper strips."""
        left, top = (np.einsum("ij,ij->i", strips, strips) for strips in (self.left, self.top))
        return left, top

    def near(self, number: int) -> NDArray[np.bool_]:
        """Mark the patches (patch,) that share at least a quarter of their area with this one."""
        apart: NDArray[np.int64] = np.abs(self.places - self.places[number]).max(axis=1)
        return 2 * apart <= self.side

    def misfits(self, left: Float32 | None, top: Float32 | None) -> Float32:
        """Sum the squared differences between what stands and every patch, over the strips where they overlap.

        Parameters
        ----------
        left, top
            What stands left of and above the places: (place, channel * side * overlap), or None at a border.

        Returns
        -------
        float32 (place, patch); the corner, which both strips hold, counts twice.
        """
        places = next(len(strips) for strips in (left, top) if strips is not None)
        total = np.zeros((places, len(self.patches)), np.float32)
        for standing, strips, norms in zip((left, top), (self.left, self.top), self.norms, strict=True):
            if standing is not None:
                own = np.einsum("ij,ij->i", standing, standing)
                total += own[:, None] + norms - np.float32(2.0) * (standing @ strips.T)
        # Cancellation may leave a perfect fit slightly below zero.
        return np.maximum(total, np.float32(0.0))


def grow_texture(
    dictionary: PatchDictionary, size: tuple[int, int], seed: int, tolerance: float, rng: Generator
) -> Float32:
    """Grow a texture from one patch in the upper left corner.

    Parameters
    ----------
    dictionary
        Where patches come from.
    size
        (y, x) in px.
    seed
        Number of the first patch.
    tolerance
        A patch is drawn from those whose root-mean-square misfit is at most this fraction above the best one's.
    rng
        Random stream of the drawing.

    Returns
    -------
    float32 (channel, y, x).
    """
    side, overlap = dictionary.side, dictionary.overlap
    step = side - overlap
    rows, columns = (1 + max(0, -(-(extent - side) // step)) for extent in size)
    canvas = np.zeros((dictionary.patches.shape[1], side + (rows - 1) * step, side + (columns - 1) * step), np.float32)
    canvas[:, :side, :side] = dictionary.patches[seed]
    uses = dictionary.near(seed).astype(np.float32)
    for diagonal in range(1, rows + columns - 1):
        first = max(0, diagonal - columns + 1)
        places = [(row, diagonal - row) for row in range(first, min(rows, diagonal + 1))]
        corners = np.array([(row * step, column * step) for row, column in places], np.int64)
        for kind in ((False, True), (True, True), (True, False)):
            # A patch in the first row has no neighbour above, one in the first column none at its left.
            chosen = [i for i, (row, column) in enumerate(places) if (row > 0, column > 0) == kind]
            if chosen:
                _place(canvas, corners[chosen], dictionary, kind, uses, tolerance, rng)
    return canvas[:, : size[0], : size[1]]


def _place(
    canvas: Float32,
    corners: NDArray[np.int64],
    dictionary: PatchDictionary,
    neighbours: tuple[bool, bool],
    uses: Float32,
    tolerance: float,
    rng: Generator,
) -> None:
    """Search and paste the patches of places that have the same neighbours (above, at the left).

    The misfit of a patch grows with how often its part of the image was used already, as copies catch the eye.
    """
    above, beside = neighbours
    side, overlap = dictionary.side, dictionary.overlap
    standing = np.stack([canvas[:, y : y + side, x : x + side] for y, x in corners])
    left = standing[..., :overlap].reshape(len(corners), -1) if beside else None
    top = standing[..., :overlap, :].reshape(len(corners), -1) if above else None
    misfits = dictionary.misfits(left, top)
    draws = rng.random(len(corners))
    limit = np.float32((1.0 + tolerance) ** 2)
    for (y, x), row, draw in zip(corners, misfits, draws, strict=True):
        weighted = row * (np.float32(1.0) + uses)
        fitting = np.flatnonzero(weighted <= limit * weighted.min())
        number = int(fitting[int(draw * len(fitting))])
        uses += dictionary.near(number)
        paste(canvas[:, y : y + side, x : x + side], dictionary.patches[number], overlap, above, beside)


@compiled
def paste(standing: Float32, patch: Float32, overlap: int, above: bool, beside: bool) -> None:
    """Write a patch over what stands, beyond the cuts of least squared difference through the strips they share.

    Parameters
    ----------
    standing
        float32 (channel, side, side), changed in place.
    patch
        float32 (channel, side, side).
    overlap
        Width of the strips in px.
    above, beside
        Whether something stands in the upper and in the left strip.
    """
    channels, side, _ = patch.shape
    errors = np.zeros((side, overlap), np.float64)
    from_left = np.zeros(side, np.int64)
    from_top = np.zeros(side, np.int64)
    if beside:
        for y in range(side):
            for x in range(overlap):
                total = 0.0
                for channel in range(channels):
                    total += (standing[channel, y, x] - patch[channel, y, x]) ** 2
                errors[y, x] = total
        from_left = least_cut(errors)
    if above:
        for x in range(side):
            for y in range(overlap):
                total = 0.0
                for channel in range(channels):
                    total += (standing[channel, y, x] - patch[channel, y, x]) ** 2
                errors[x, y] = total
        from_top = least_cut(errors)
    for y in range(side):
        for x in range(side):
            if x >= from_left[y] and y >= from_top[x]:
                for channel in range(channels):
                    standing[channel, y, x] = patch[channel, y, x]


@compiled
def least_cut(errors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the connected path of least summed error down an array.

    Parameters
    ----------
    errors
        (row, column), not negative.

    Returns
    -------
    (row,) column of the path in each row; neighbouring rows differ by at most one column.
    """
    rows, columns = errors.shape
    total = errors.copy()
    for y in range(1, rows):
        for x in range(columns):
            best = total[y - 1, x]
            if x > 0:
                best = min(best, total[y - 1, x - 1])
            if x + 1 < columns:
                best = min(best, total[y - 1, x + 1])
            total[y, x] += best
    path = np.empty(rows, np.int64)
    path[rows - 1] = np.argmin(total[rows - 1])
    for y in range(rows - 2, -1, -1):
        below = path[y + 1]
        low, high = max(0, below - 1), min(columns, below + 2)
        path[y] = low + np.argmin(total[y, low:high])
    return path
