"""What a pixel's surroundings look like at several scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, field_validator
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32

Kind = Literal["gaussian", "gradient", "laplacian", "hessian", "structure"]

_TRUNCATE = 4.0
_PLANES = {"gaussian": 1, "gradient": 1, "laplacian": 1, "hessian": 2, "structure": 2}


class Filters(BaseModel):
    """Multi-scale features of every channel, beside its own value.

    Attributes
    ----------
    sigmas_px
        Scales: standard deviations of the Gaussians in px.
    kinds
        ``gaussian``: the smoothed value; ``gradient``: the size of its gradient; ``laplacian``; ``hessian``: the larger
        and the smaller eigenvalue of its Hessian; ``structure``: those of the structure tensor, smoothed by the same
        Gaussian again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigmas_px: tuple[PositiveFloat, ...] = (1.0, 2.0, 4.0)
    kinds: tuple[Kind, ...] = ("gaussian", "gradient", "laplacian", "hessian", "structure")

    @field_validator("kinds")
    @classmethod
    def _once(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if len(set(kinds)) != len(kinds):
            raise ValueError(f"features repeat: {', '.join(kinds)}")
        return kinds

    @property
    def halo(self) -> int:
        """How far in px a pixel's features reach."""
        if not self.kinds or not self.sigmas_px:
            return 0
        radius = int(_TRUNCATE * max(self.sigmas_px) + 0.5)
        return 2 * radius if "structure" in self.kinds else radius

    def count(self, channels: int) -> int:
        """How many features an image of this many channels has."""
        return channels * (1 + len(self.sigmas_px) * sum(_PLANES[kind] for kind in self.kinds))

    def __call__(self, image: Float32) -> Float32:
        """Filter an image (channel, y, x) without gaps; give float32 (feature, y, x). The border is continued."""
        found = np.empty((self.count(len(image)), *image.shape[1:]), dtype=np.float32)
        planes = (plane for channel in image for plane in self._planes(channel))
        for place, plane in zip(found, planes, strict=True):
            place[:] = plane
        return found

    def _planes(self, channel: Float32) -> Iterator[Float32]:
        yield channel
        for sigma in self.sigmas_px:
            for kind in self.kinds:
                yield from _filtered(channel, sigma, kind)


def _filtered(channel: Float32, sigma: float, kind: Kind) -> tuple[Float32, ...]:
    if kind == "gaussian":
        return (_derivative(channel, sigma, (0, 0)),)
    if kind in ("gradient", "structure"):
        along_y, along_x = _derivative(channel, sigma, (1, 0)), _derivative(channel, sigma, (0, 1))
        if kind == "gradient":
            return (np.hypot(along_y, along_x),)
        products = (along_y * along_y, along_x * along_x, along_y * along_x)
        return _eigenvalues(*(_derivative(product, sigma, (0, 0)) for product in products))
    along_yy, along_xx = _derivative(channel, sigma, (2, 0)), _derivative(channel, sigma, (0, 2))
    if kind == "laplacian":
        return (along_yy + along_xx,)
    return _eigenvalues(along_yy, along_xx, _derivative(channel, sigma, (1, 1)))


def _derivative(channel: Float32, sigma: float, order: tuple[int, int]) -> Float32:
    """Differentiate the smoothed image this often along y and x."""
    return np.asarray(gaussian_filter(channel, sigma, order=order, mode="nearest", truncate=_TRUNCATE), np.float32)


def _eigenvalues(yy: Float32, xx: Float32, yx: Float32) -> tuple[Float32, Float32]:
    """Give the larger and the smaller eigenvalue of symmetric 2 x 2 matrices."""
    middle, apart = 0.5 * (yy + xx), np.hypot(0.5 * (yy - xx), yx)
    return middle + apart, middle - apart
