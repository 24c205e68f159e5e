"""DeepLabV3 as torchvision has it, with rates 12, 24, 36; the neutron paper's networks are of this kind."""

from __future__ import annotations

from typing import ClassVar

from beamforge.learning.architectures.torchvision_segmentation import TorchvisionSegmentation


class DeepLabV3ResNet50(TorchvisionSegmentation, name="deeplabv3_resnet50"):
    """DeepLabV3 on ResNet50, the network of Sathe et al. 2024.

    Source: Chen et al. 2017.
    """

    model: ClassVar[str] = "deeplabv3_resnet50"
    head: ClassVar[tuple[str, ...]] = ("classifier.4.",)
    cached: ClassVar[str | None] = "timm/resnet50.tv_in1k"


class DeepLabV3ResNet101(DeepLabV3ResNet50, name="deeplabv3_resnet101"):
    """DeepLabV3 on ResNet101.

    Source: Chen et al. 2017.
    """

    model: ClassVar[str] = "deeplabv3_resnet101"
    cached: ClassVar[str | None] = "timm/resnet101.tv_in1k"


class DeepLabV3MobileNetV3(DeepLabV3ResNet50, name="deeplabv3_mobilenet_v3_large"):
    """DeepLabV3 on MobileNetV3.

    Source: Chen et al. 2017; Howard et al. 2019.
    """

    model: ClassVar[str] = "deeplabv3_mobilenet_v3_large"
    stride: ClassVar[int] = 16
    first_layer: ClassVar[str] = "backbone.0.0"
    cached: ClassVar[str | None] = None
