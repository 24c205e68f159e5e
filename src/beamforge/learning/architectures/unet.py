"""U-Net: skip connections at every resolution."""

from __future__ import annotations

from typing import ClassVar, Literal

from beamforge.learning.architectures.encoder_decoder import StepwiseDecoder


class UNet(StepwiseDecoder, name="unet"):
    """U-Net on an encoder of choice.

    Source: Ronneberger et al. 2015.
    """

    model: ClassVar[str] = "Unet"

    decoder_attention_type: Literal["scse"] | None = None
    decoder_interpolation: Literal["nearest", "bilinear"] = "nearest"
