"""DeepLabV3+: DeepLabV3 with one skip connection for sharper edges."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class DeepLabV3Plus(EncoderDecoder, name="deeplabv3+"):
    """DeepLabV3+ on an encoder of choice that can dilate (the native ``xception`` cannot, ``tu-xception71`` can).

    Source: Chen et al. 2018.
    """

    model: ClassVar[str] = "DeepLabV3Plus"

    encoder_output_stride: Literal[8, 16] = 16
    decoder_channels: PositiveInt = 256
    decoder_atrous_rates: tuple[PositiveInt, PositiveInt, PositiveInt] = (12, 24, 36)
    decoder_aspp_separable: bool = True
    decoder_aspp_dropout: float = Field(default=0.5, ge=0, lt=1)
