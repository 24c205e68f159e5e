"""DeepLabV3: context by dilated convolutions of several rates."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class DeepLabV3(EncoderDecoder, name="deeplabv3"):
    """DeepLabV3 on an encoder of choice that can dilate (the native ``xception`` cannot, ``tu-xception71`` can).

    The rates are those for images of some 500 px; smaller tiles want smaller ones, such as 3, 6, 9.

    Source: Chen et al. 2017.
    """

    model: ClassVar[str] = "DeepLabV3"

    encoder_output_stride: Literal[8, 16] = 8
    decoder_channels: PositiveInt = 256
    decoder_atrous_rates: tuple[PositiveInt, PositiveInt, PositiveInt] = (12, 24, 36)
    decoder_aspp_separable: bool = False
    decoder_aspp_dropout: float = Field(default=0.5, ge=0, lt=1)
