"""FPN: a feature pyramid whose levels are merged."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class FPN(EncoderDecoder, name="fpn"):
    """Feature pyramid network on an encoder of choice.

    Source: Lin et al. 2017; Kirillov et al. 2017 (segmentation).
    """

    model: ClassVar[str] = "FPN"

    decoder_pyramid_channels: PositiveInt = 256
    decoder_segmentation_channels: PositiveInt = 128
    decoder_merge_policy: Literal["add", "cat"] = "add"
    decoder_dropout: float = Field(default=0.2, ge=0, lt=1)
