"""SegFormer: a decoder of pointwise layers only, made for transformer encoders."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class SegFormer(EncoderDecoder, name="segformer"):
    """SegFormer, by default on the smallest mix transformer.

    Source: Xie et al. 2021.
    """

    model: ClassVar[str] = "Segformer"

    encoder: str = "mit_b0"
    decoder_segmentation_channels: PositiveInt = 256
