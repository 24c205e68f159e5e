"""Classification of whole tiles by any network of timm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from beamforge.errors import InputError, one_of
from beamforge.learning.architectures.base import CLASSIFICATION, Architecture, TaskName
from beamforge.learning.architectures.encoder_decoder import TIMM, check_timm_file
from beamforge.learning.weights import cached_file, fill

if TYPE_CHECKING:
    from torch import nn


class TileClassifier(Architecture, name="classifier"):
    """An encoder of timm, its features averaged over the tile, and a linear layer.

    Its logits are an image of a single pixel, (batch, class, 1, 1): losses and scores treat the class of a tile like
    that of a pixel.

    Source: He et al. 2016 for ResNet50, the network of Trampert et al. 2021.

    Attributes
    ----------
    encoder
        Name of any network of timm, with or without ``tu-``.
    dropout
        Share of the features left out in every step of a training.
    """

    task: ClassVar[TaskName] = CLASSIFICATION
    head: ClassVar[tuple[str, ...]] = ("head.",)

    encoder: str = "resnet50"
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights.

        Raises
        ------
        InputError
            If timm has no such network, or it takes images of one size only.
        """
        from torch import nn

        encoder = self._create_encoder(in_chans=channels)
        parts: dict[str, nn.Module] = {
            "encoder": encoder,
            "dropout": nn.Dropout(self.dropout),
            "head": nn.Linear(encoder.head_hidden_size, classes),  # type: ignore[arg-type]
            "pixel": nn.Unflatten(1, (classes, 1, 1)),
        }
        network = nn.Sequential()
        for name, part in parts.items():
            network.add_module(name, part)
        return network

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by: the encoder's stride."""
        features: Any = self.encoder_of(network).feature_info
        return int(features[-1]["reduction"])

    def encoder_of(self, network: nn.Module) -> nn.Module:
        """Give the encoder."""
        return network.get_submodule("encoder")

    def cached_encoder(self) -> Path | None:
        """Find the pretrained weights of the encoder in timm's local cache."""
        import timm

        config = timm.get_pretrained_cfg(self._timm_name)
        return cached_file(config.hf_hub_id, None) if config and config.hf_hub_id else None

    def load_encoder(self, network: nn.Module, file: Path) -> None:
        """Fill the encoder from a safetensors file; timm itself translates the names."""
        check_timm_file(self._timm_name, file)
        source = self._create_encoder(pretrained=True, pretrained_cfg_overlay={"file": str(file)})
        fill(self.encoder_of(network), source.state_dict(), file)

    @property
    def _timm_name(self) -> str:
        return self.encoder.removeprefix(TIMM)

    def _create_encoder(self, **options: Any) -> nn.Module:
        import timm

        name = self._timm_name
        if not timm.is_model(name.split(".")[0]):
            raise one_of("timm encoder", name, timm.list_models())
        known = timm.get_pretrained_cfg(name)
        any_size: dict[str, Any] = {"dynamic_img_size": True} if known and known.fixed_input_size else {}
        try:
            encoder: nn.Module = timm.create_model(name, num_classes=0, **any_size, **options)
        except TypeError as error:
            if not any_size:
                raise
            raise InputError(
                f"the encoder {name!r} takes images of one size only; take a convolutional one such as 'resnet50'"
            ) from error
        return encoder
