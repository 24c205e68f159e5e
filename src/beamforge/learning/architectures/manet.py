"""MA-Net: a U-Net with attention over positions and over scales."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from beamforge.learning.architectures.encoder_decoder import StepwiseDecoder


class MANet(StepwiseDecoder, name="manet"):
    """MA-Net on an encoder of choice.

    Source: Fan et al. 2020.
    """

    model: ClassVar[str] = "MAnet"

    decoder_pab_channels: PositiveInt = 64
