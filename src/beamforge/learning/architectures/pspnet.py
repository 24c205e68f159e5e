"""PSPNet: context pooled over four grid sizes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, PositiveInt

from beamforge.learning.architectures.encoder_decoder import EncoderDecoder


class PSPNet(EncoderDecoder, name="pspnet"):
    """PSPNet on an encoder of choice, by default at 1/8 of the resolution.

    Source: Zhao et al. 2017.
    """

    model: ClassVar[str] = "PSPNet"

    encoder_depth: int = Field(default=3, ge=3, le=5)
    psp_out_channels: PositiveInt = 512
    psp_dropout: float = Field(default=0.2, ge=0, lt=1)

    def arguments(self) -> dict[str, object]:
        """Give the arguments of the library's class; the last upsampling undoes the encoder's stride."""
        return {**super().arguments(), "upsampling": 2**self.encoder_depth}
