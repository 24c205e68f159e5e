"""What a trained network and an analytic classifier have in common, so that all are judged and applied alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from beamforge.arrays import Float32
from beamforge.stack import Channel, Classes


@runtime_checkable
class Predictor(Protocol):
    """Turns images into class log-probabilities.

    ``halo`` is how many pixels around a pixel influence its class noticeably (tiles overlap by that much);
    ``multiple`` is what both sides of an image must be divisible by.
    """

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the input channels are."""
        ...

    @property
    def classes(self) -> Classes:
        """What the output classes are."""
        ...

    @property
    def halo(self) -> int:
        """Context in px."""
        ...

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px."""
        ...

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) in the stack's own units to log-probabilities (batch, class, y, x)."""
        ...
