"""The dynamic U-Net: any encoder of timm, a decoder that shuffles pixels, the input itself at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PositiveInt

from beamforge.errors import one_of
from beamforge.learning.architectures.base import Architecture
from beamforge.learning.weights import cached_file, fill, read_tensors

if TYPE_CHECKING:
    from torch import nn


class DynamicUNet(Architecture, name="dynamic_unet"):
    """U-Net that adapts to its encoder.

    Every step up is a pixel shuffle, whose weights start such that it enlarges like nearest neighbours (ICNR), joined
    with the encoder's features of that resolution; the last joins the input.

    Source: the network of Fang et al. 2021 (ResNet34), after Howard & Gugger 2020; ICNR is Aitken et al. 2017.

    Attributes
    ----------
    encoder
        Name of a network of timm that gives features, such as ``resnet34``.
    depth
        Resolutions of the encoder that are used.
    width
        Channels of the last step; those before double it up to the encoder's own.
    """

    head: ClassVar[tuple[str, ...]] = ("head.",)

    encoder: str = "resnet34"
    depth: int = Field(default=5, ge=2, le=5)
    width: PositiveInt = 32

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights.

        Raises
        ------
        InputError
            If timm has no such encoder.
        """
        import timm

        from beamforge.learning.pixel_shuffle import DynamicUShape

        if not timm.is_model(self.encoder):
            raise one_of("timm encoder", self.encoder, timm.list_models())
        encoder = timm.create_model(
            self.encoder,
            pretrained=False,
            features_only=True,
            in_chans=channels,
            out_indices=tuple(range(self.depth)),
        )
        features: Any = encoder.feature_info
        strides, widths = features.reduction(), features.channels()
        return DynamicUShape(encoder, widths, strides, channels, classes, self.width)

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by: the stride of the encoder."""
        return int(network.stride)  # type: ignore[arg-type]

    def encoder_of(self, network: nn.Module) -> nn.Module:
        """Give the encoder."""
        return network.get_submodule("encoder")

    def cached_encoder(self) -> Path | None:
        """Find ImageNet weights of the encoder in timm's local cache."""
        import timm

        config = timm.get_pretrained_cfg(self.encoder)
        return cached_file(config.hf_hub_id, None) if config and config.hf_hub_id else None

    def load_encoder(self, network: nn.Module, file: Path) -> None:
        """Fill the encoder; blocks deeper than those used, and the classifier, are passed over."""
        fill(self.encoder_of(network), read_tensors(file), file)
