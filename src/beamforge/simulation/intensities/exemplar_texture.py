"""Texture grown from patches of real images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator, default_rng
from pydantic import Field, model_validator
from scipy.ndimage import binary_erosion, gaussian_filter

from beamforge.arrays import Float32, Float32Field
from beamforge.errors import InputError
from beamforge.simulation.interval import MeasuredInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity
from beamforge.simulation.textures.quilting import PatchDictionary, cut_patches, grow_texture
from beamforge.stack import IGNORE

_QUANTILES = 11
_TRIES = 20
_SMOOTH = 0.6
"""Standard deviation of what counts as shading, in sides of a patch."""
_EDGE = 2.0
"""Smoothing in px before specimen and background are told apart."""
_RIM = 4
"""Width in px of the rim of the specimen that does not count."""
_GRID = 16
"""Points along each side of the coarse grid of a shading."""
_SHOWN = 5


class ExemplarTexture(Intensity, name="exemplar_texture"):
    """Fills the image with a texture like that of example images, whatever the labels are.

    The dictionary is a set of exemplars: parts of images without the structure that a scene draws. A tile takes one of
    them, starts with a patch of it and grows by patches that fit what stands in the strip where they overlap, joined
    along the cut of least error. One tile keeps to one exemplar because searching all of them drifts to the smoothest
    patches there are, which fit everywhere.

    What is slow is kept apart from the texture, because patches would repeat it: exemplars are relative to their own
    shading, a tile takes the shading of its exemplar stretched over it, and how bright images are is a distribution of
    its own.

    Source: Trampert et al. 2021, which grows textures from a dictionary; A. A. Efros and W. T. Freeman, SIGGRAPH 2001.

    Attributes
    ----------
    exemplars
        float32 (channel, y, x) each, relative to their shading.
    shadings
        float32 (exemplar, channel, y, x) smooth factors of mean 1 on a coarse grid over each exemplar.
    level
        Mean grey value of an image.
    patch, overlap
        Side of a patch and width of the strip in which neighbours overlap, in px.
    patches
        How many patches of the exemplar are searched for a tile.
    tolerance
        How much worse than the best one a patch may fit, as a fraction of the root-mean-square misfit.
    mirror
        Whether tiles are mirrored in x and in y at random; not if light or wear have a side.
    """

    exemplars: tuple[Float32Field, ...] = Field(min_length=1)
    shadings: Float32Field
    level: MeasuredInterval
    patch: int = Field(default=40, ge=4)
    overlap: int = Field(default=8, ge=1)
    patches: int = Field(default=512, ge=1)
    tolerance: float = Field(default=0.1, ge=0.0)
    mirror: tuple[bool, bool] = (True, True)

    @model_validator(mode="after")
    def _exemplars_hold_patches(self) -> Self:
        for number, exemplar in enumerate(self.exemplars):
            if exemplar.ndim != 3 or min(exemplar.shape[1:]) < self.patch:
                raise ValueError(
                    f"exemplar {number} has the shape {exemplar.shape}, expected (channel, y, x) of at least "
                    f"{self.patch} px, a patch"
                )
            if not np.isfinite(exemplar).all():
                raise ValueError(f"exemplar {number} holds values that are not finite")
        if len({len(exemplar) for exemplar in self.exemplars}) > 1:
            raise ValueError("the exemplars differ in their number of channels")
        if self.shadings.ndim != 4 or self.shadings.shape[:2] != (len(self.exemplars), len(self.exemplars[0])):
            raise ValueError(f"shadings of shape {self.shadings.shape} for {len(self.exemplars)} exemplars")
        if self.overlap >= self.patch:
            raise ValueError(f"an overlap of {self.overlap} px leaves nothing of patches of {self.patch} px")
        return self

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray | Sequence[xr.DataArray],
        labels: xr.DataArray | Sequence[xr.DataArray] | None = None,
        *,
        exemplars: int = 64,
        largest: int = 160,
        darkest: float = 0.35,
        patch: int = 40,
        overlap: int = 8,
        tolerance: float = 0.1,
        mirror: tuple[bool, bool] = (True, True),
        rng: Generator | None = None,
    ) -> Self:
        """Cut exemplars from images.

        Parameters
        ----------
        stack
            One stack (channel, y, x) or several; their sizes may differ, their channels must agree.
        labels
            Their labels (y, x); only images that hold nothing but class 0 (and ignored pixels, which are left out)
            are used. Without labels all images are.
        exemplars, largest
            How many exemplars to cut, as evenly from the images as possible, and their largest side in px.
        darkest
            What is darker than this fraction of the image's median, after smoothing, is no part of the specimen.
        patch, overlap, tolerance, mirror
            See the attributes.
        rng
            Random stream of the places; by default a fixed one.

        Raises
        ------
        InputError
            If no image is free of other classes, channels differ, an image is dark throughout, or images are smaller
            than a patch.
        """
        stacks = [stack] if isinstance(stack, xr.DataArray) else list(stack)
        known = [labels] if isinstance(labels, xr.DataArray) else list(labels or [])
        free = _free_images(stacks, known)
        _check_sizes(free, patch)
        rng = rng or default_rng(0)
        order = np.concatenate([rng.permutation(len(free)) for _ in range(-(-exemplars // len(free)))])
        parts = [_specimen(image, _SMOOTH * patch, darkest) for image in free]
        cut = [_cut(parts[number], patch, largest, rng) for number in order[:exemplars]]
        found = [pair for pair in cut if pair is not None]
        if not found:
            raise InputError(
                f"ignored pixels leave no place of {patch} px to learn a texture from; set a smaller patch"
            )
        return cls(
            exemplars=tuple(texture for texture, _ in found),
            shadings=np.stack([coarse for _, coarse in found]),
            level=MeasuredInterval.of([float(np.nanmean(shading)) for _, shading in parts], _QUANTILES),
            patch=patch,
            overlap=overlap,
            tolerance=tolerance,
            mirror=mirror,
        )

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the level, the exemplar, where the grown texture is cut and whether it is mirrored."""
        return {
            **super().draw(sample, rng),
            "exemplar": int(rng.integers(len(self.exemplars))),
            "cut": rng.integers(0, self.patch - self.overlap, size=2).tolist(),
            "mirrored": [bool(may and rng.random() < 0.5) for may in self.mirror],
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Grow the texture over the labels' size."""
        rows, columns = sample.labels.shape
        down, right = parameters["cut"]
        number = parameters["exemplar"]
        dictionary = PatchDictionary(
            *cut_patches(self.exemplars[number], self.patch, self.patches, rng), overlap=self.overlap
        )
        grown = grow_texture(dictionary, (rows + down, columns + right), 0, self.tolerance, rng)[:, down:, right:]
        flips = tuple(axis for axis, turned in zip((2, 1), parameters["mirrored"], strict=True) if turned)
        shaded = grown * _stretched(self.shadings[number], (rows, columns))
        image = np.flip(shaded, flips) * np.float32(parameters["level"])
        return sample.replace(image=np.ascontiguousarray(image))


def _free_images(stacks: Sequence[xr.DataArray], labels: Sequence[xr.DataArray]) -> list[Float32]:
    """Read the images that hold class 0 only, with ignored pixels as NaN."""
    if not stacks:
        raise InputError("no image to learn a texture from was given")
    if labels and len(labels) != len(stacks):
        raise InputError(f"{len(stacks)} images and {len(labels)} labels to learn a texture from; give one for each")
    free = []
    for number, stack in enumerate(stacks):
        image = np.asarray(stack.values, dtype=np.float32)
        if labels:
            classes = np.asarray(labels[number].values)
            if ((classes != 0) & (classes != IGNORE)).any():
                continue
            image = np.where(classes == IGNORE, np.float32(np.nan), image)
        free.append(image)
    if not free:
        raise InputError(
            f"none of the {len(stacks)} images is free of other classes than the background, so there is nothing to "
            "learn the texture from; add images whose mask is empty, or use a built-in texture"
        )
    return free


def _check_sizes(images: Sequence[Float32], patch: int) -> None:
    counts = {len(image) for image in images}
    if len(counts) > 1:
        raise InputError(
            f"the images to learn a texture from have {' or '.join(map(str, sorted(counts)))} channels; convert them "
            "to one kind"
        )
    small = [f"{image.shape[1]}×{image.shape[2]}" for image in images if min(image.shape[1:]) < patch]
    if small:
        raise InputError(
            f"{len(small)} of {len(images)} images to learn a texture from are smaller than a patch of {patch} px "
            f"({', '.join(small[:_SHOWN])}); leave them out or set a smaller patch"
        )


def _specimen(image: Float32, sigma: float, darkest: float) -> tuple[Float32, Float32]:
    """Split an image into a texture relative to its shading, and the shading; NaN where there is no specimen.

    Shading is the mean under a Gaussian of the standard deviation `sigma` in px over the pixels that count.
    """
    finite = np.isfinite(image)
    median = float(np.median(image[finite])) if finite.any() else 0.0
    if not median > 0.0:
        raise InputError(f"an image to learn a texture from has the median {median:g}, expected positive grey values")
    lit = gaussian_filter(np.where(finite, image, 0.0), _EDGE, axes=(1, 2)) >= darkest * median
    # Near the background the smoothed image is brighter than what is there.
    inside = binary_erosion((finite & lit).all(axis=0), iterations=_RIM, border_value=1)
    weight = gaussian_filter(inside.astype(np.float32), sigma)
    summed = gaussian_filter(np.where(inside, image, np.float32(0.0)), sigma, axes=(1, 2))
    shading = np.where(inside, summed / np.maximum(weight, np.float32(1e-6)), np.float32(np.nan))
    return (image / shading).astype(np.float32), shading.astype(np.float32)


def _cut(part: tuple[Float32, Float32], smallest: int, largest: int, rng: Generator) -> tuple[Float32, Float32] | None:
    """Cut an exemplar and its coarse shading at a random place; a smaller one if pixels that do not count are in it."""
    texture, shading = part
    side = [min(extent, largest) for extent in texture.shape[1:]]
    while min(side) >= smallest:
        for _ in range(_TRIES):
            y, x = (int(rng.integers(full - length + 1)) for full, length in zip(texture.shape[1:], side, strict=True))
            window = (slice(None), slice(y, y + side[0]), slice(x, x + side[1]))
            if np.isfinite(texture[window]).all():
                coarse = _stretched(shading[window], (_GRID, _GRID))
                return texture[window].copy(), coarse / coarse.mean(dtype=np.float64).astype(np.float32)
        side = [length * 9 // 10 for length in side]
    return None


def _stretched(field: Float32, size: tuple[int, int]) -> Float32:
    """Stretch a smooth field (channel, y, x) to another size, linear in between, ends on ends."""
    out = field
    for axis, length in zip((1, 2), size, strict=True):
        places = np.linspace(0.0, out.shape[axis] - 1.0, length)
        low = np.minimum(places.astype(np.int64), max(out.shape[axis] - 2, 0))
        share = np.expand_dims((places - low).astype(np.float32), (0, 3 - axis))
        high = np.minimum(low + 1, out.shape[axis] - 1)
        out = (1 - share) * out.take(low, axis) + share * out.take(high, axis)
    return out
