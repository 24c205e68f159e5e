"""What the segmentation networks of torchvision have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from beamforge.learning.architectures.base import Architecture
from beamforge.learning.weights import cached_file

if TYPE_CHECKING:
    from torch import nn


class TorchvisionSegmentation(Architecture):
    """A segmentation network of torchvision.

    Its weights from the cache are those of torchvision's ImageNet classifier as timm keeps them (safetensors with the
    same names); torchvision's own downloads are pickles and are not read.
    """

    model: ClassVar[str] = ""
    """Name of the function in torchvision."""
    stride: ClassVar[int] = 8
    first_layer: ClassVar[str] = "backbone.conv1"
    cached: ClassVar[str | None] = None
    """Where timm keeps the encoder's weights."""

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights."""
        from torch import nn
        from torchvision.models import segmentation

        network = cast(
            nn.Module, getattr(segmentation, self.model)(weights=None, weights_backbone=None, num_classes=classes)
        )
        if channels != 3:
            first = network.get_submodule(self.first_layer)
            assert isinstance(first, nn.Conv2d)
            replacement = type(first)(
                channels,
                first.out_channels,
                kernel_size=first.kernel_size,  # type: ignore[arg-type]
                stride=first.stride,  # type: ignore[arg-type]
                padding=first.padding,  # type: ignore[arg-type]
                bias=first.bias is not None,
            )
            nn.init.kaiming_normal_(replacement.weight, mode="fan_out", nonlinearity="relu")
            network.set_submodule(self.first_layer, replacement)
        return network

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by: the stride of the encoder."""
        return self.stride

    def encoder_of(self, network: nn.Module) -> nn.Module:
        """Give the encoder."""
        return network.get_submodule("backbone")

    def cached_encoder(self) -> Path | None:
        """Find ImageNet weights of the encoder in timm's local cache."""
        return cached_file(self.cached, None) if self.cached else None
