"""Fully convolutional networks on dilated ResNets."""

from __future__ import annotations

from typing import ClassVar

from beamforge.learning.architectures.torchvision_segmentation import TorchvisionSegmentation


class FCNResNet50(TorchvisionSegmentation, name="fcn_resnet50"):
    """FCN on ResNet50.

    Source: Long et al. 2015.
    """

    model: ClassVar[str] = "fcn_resnet50"
    head: ClassVar[tuple[str, ...]] = ("classifier.4.",)
    cached: ClassVar[str | None] = "timm/resnet50.tv_in1k"


class FCNResNet101(FCNResNet50, name="fcn_resnet101"):
    """FCN on ResNet101.

    Source: Long et al. 2015.
    """

    model: ClassVar[str] = "fcn_resnet101"
    cached: ClassVar[str | None] = "timm/resnet101.tv_in1k"
