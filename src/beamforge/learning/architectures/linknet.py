"""LinkNet: skip connections are added instead of stacked, so it is small and fast."""

from __future__ import annotations

from typing import ClassVar

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class LinkNet(EncoderDecoder, name="linknet"):
    """LinkNet on an encoder of choice.

    Source: Chaurasia & Culurciello 2017.
    """

    model: ClassVar[str] = "Linknet"
