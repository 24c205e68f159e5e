"""UNet++: a U-Net whose skip connections are dense."""

from __future__ import annotations

from typing import ClassVar, Literal

from beamforge.learning.architectures.encoder_decoder import StepwiseDecoder


class UNetPlusPlus(StepwiseDecoder, name="unet++"):
    """UNet++ on an encoder of choice.

    Source: Zhou et al. 2018.
    """

    model: ClassVar[str] = "UnetPlusPlus"

    decoder_attention_type: Literal["scse"] | None = None
    decoder_interpolation: Literal["nearest", "bilinear"] = "nearest"
