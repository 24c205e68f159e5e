"""The scaling of the channels: explicit, fitted on training data, stored with the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.arrays import Float32, Float64, Float64Field
from beamforge.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_TO_DEVIATION = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
_VALUES_PER_CHANNEL = 1 << 18
"""Enough for a median to better than a hundredth of the deviation, and small for hundreds of channels."""


class Scaling(BaseModel):
    """Maps each channel to ``(value - offset) / scale``; pixels that are not finite become 0, the channel's centre.

    Attributes
    ----------
    offset, scale
        float64 (channel,), in the stack's units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    offset: Float64Field
    scale: Float64Field

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.offset.ndim != 1 or self.offset.shape != self.scale.shape:
            raise ValueError(f"offset {self.offset.shape} and scale {self.scale.shape} must both be (channel,)")
        if not (np.isfinite(self.offset).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise ValueError("offset must be finite and scale finite and above 0")
        return self

    @classmethod
    def fit(cls, images: Iterable[Float32], method: Literal["robust", "standard"] = "robust") -> Self:
        """Fit the scaling to images.

        Parameters
        ----------
        images
            Arrays (channel, y, x); pixels that are not finite are left out.
        method
            ``"robust"``: median and 1.4826 times the median absolute deviation, or the standard deviation in a
            channel whose median absolute deviation is 0. ``"standard"``: mean and standard deviation.

        Raises
        ------
        InputError
            If there is no image, or a channel has no finite value or only one value.
        """
        arrays = [np.asarray(image) for image in images]
        if not arrays:
            raise InputError("no image to fit the scaling of the channels to")
        channels = {array.shape[0] for array in arrays}
        if len(channels) != 1:
            raise InputError(f"images of {sorted(channels)} channels; all must have the same number")
        pixels = sum(array[0].size for array in arrays)
        step = -(-pixels // _VALUES_PER_CHANNEL)
        centre_and_width = _robust if method == "robust" else _standard
        pairs = []
        for channel in range(channels.pop()):
            values = np.concatenate([array[channel].ravel() for array in arrays])[::step].astype(np.float64)
            values = values[np.isfinite(values)]
            if values.size == 0 or values.min() == values.max():
                found = f"is {values[0]:g} everywhere" if values.size else "has no finite value"
                raise InputError(f"channel {channel} {found} in the training data; leave it out")
            pairs.append(centre_and_width(values))
        offset, scale = np.array(pairs).T
        return cls(offset=offset, scale=scale)

    def __call__(self, images: Tensor) -> Tensor:
        """Scale images (batch, channel, y, x) of float32.

        Raises
        ------
        InputError
            If the number of channels differs.
        """
        import torch

        if images.ndim != 4 or images.shape[1] != len(self.offset):
            raise InputError(f"images of shape {tuple(images.shape)}, expected (batch, {len(self.offset)}, y, x)")
        offset = torch.tensor(self.offset[:, None, None], dtype=images.dtype, device=images.device)
        scale = torch.tensor(self.scale[:, None, None], dtype=images.dtype, device=images.device)
        return ((images - offset) / scale).where(images.isfinite(), 0.0)


def _robust(values: Float64) -> tuple[float, float]:
    centre = float(np.median(values))
    width = _TO_DEVIATION * float(np.median(np.abs(values - centre)))
    return centre, width or float(values.std())


def _standard(values: Float64) -> tuple[float, float]:
    return float(values.mean()), float(values.std())
