"""UPerNet: a feature pyramid on top of pooled context."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class UPerNet(EncoderDecoder, name="upernet"):
    """UPerNet on an encoder of choice.

    Source: Xiao et al. 2018.
    """

    model: ClassVar[str] = "UPerNet"

    decoder_channels: PositiveInt = 256
