"""LR-ASPP: the lightest of the torchvision networks."""

from __future__ import annotations

from typing import ClassVar

from beamforge.learning.architectures.torchvision_segmentation import TorchvisionSegmentation


class LRASPPMobileNetV3(TorchvisionSegmentation, name="lraspp_mobilenet_v3_large"):
    """LR-ASPP on MobileNetV3.

    Source: Howard et al. 2019.
    """

    model: ClassVar[str] = "lraspp_mobilenet_v3_large"
    head: ClassVar[tuple[str, ...]] = ("classifier.low_classifier.", "classifier.high_classifier.")
    stride: ClassVar[int] = 16
    first_layer: ClassVar[str] = "backbone.0.0"
