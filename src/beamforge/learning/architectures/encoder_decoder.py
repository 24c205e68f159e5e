"""What the architectures of segmentation-models-pytorch have in common: a decoder on one of some 500 encoders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from beamforge.errors import InputError, one_of
from beamforge.learning.architectures.base import Architecture
from beamforge.learning.weights import cached_file, check_complete, fill, read_tensors

if TYPE_CHECKING:
    from torch import nn

TIMM = "tu-"
"""Marks encoders that timm makes, such as ``tu-xception71``."""


class EncoderDecoder(Architecture):
    """A network of segmentation-models-pytorch.

    The fields of a subclass carry the library's own argument names, so they are handed on as they are.
    """

    head: ClassVar[tuple[str, ...]] = ("segmentation_head.",)
    model: ClassVar[str] = ""
    """Name of the class in segmentation-models-pytorch."""

    encoder: str = "resnet34"
    encoder_depth: int = Field(default=5, ge=3, le=5)

    def arguments(self) -> dict[str, Any]:
        """Give the arguments of the library's class beside encoder, channels and classes."""
        return self.model_dump(exclude={"encoder"}, exclude_none=True)

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights.

        Raises
        ------
        InputError
            If the encoder is unknown or does not go with the architecture.
        """
        import segmentation_models_pytorch as smp

        self._check_encoder()
        make = getattr(smp, self.model)
        try:
            network: nn.Module = make(
                encoder_name=self.encoder,
                encoder_weights=None,
                in_channels=channels,
                classes=classes,
                **self.arguments(),
            )
        except (ValueError, KeyError, NotImplementedError) as error:
            raise InputError(
                f"{self.architecture_name} cannot be built on the encoder {self.encoder!r} with {self.arguments()}: "
                f"{error}"
            ) from error
        return network

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by: the encoder's stride."""
        return int(self.encoder_of(network).output_stride)  # type: ignore[arg-type]

    def encoder_of(self, network: nn.Module) -> nn.Module:
        """Give the encoder."""
        return network.get_submodule("encoder")

    def cached_encoder(self) -> Path | None:
        """Find ImageNet weights of the encoder in the local cache."""
        if self.encoder.startswith(TIMM):
            import timm

            config = timm.get_pretrained_cfg(self.encoder.removeprefix(TIMM))
            return cached_file(config.hf_hub_id, None) if config and config.hf_hub_id else None
        from segmentation_models_pytorch.encoders import encoders

        settings = encoders[self.encoder]["pretrained_settings"].get("imagenet")
        return cached_file(settings["repo_id"], settings["revision"]) if settings else None

    def load_encoder(self, network: nn.Module, file: Path) -> None:
        """Fill the encoder from a safetensors file; timm itself translates the names of its encoders."""
        if not self.encoder.startswith(TIMM):
            super().load_encoder(network, file)
            return
        from segmentation_models_pytorch.encoders import TimmUniversalEncoder

        name = self.encoder.removeprefix(TIMM)
        check_timm_file(name, file)
        dilated = "encoder_output_stride" in type(self).model_fields
        source = TimmUniversalEncoder(
            name=name,
            pretrained=True,
            depth=self.encoder_depth,
            output_stride=self.encoder_of(network).output_stride if dilated else 32,
            pretrained_cfg_overlay={"file": str(file)},
        )
        fill(self.encoder_of(network), source.state_dict(), file)

    def _check_encoder(self) -> None:
        if self.encoder.startswith(TIMM):
            import timm

            name = self.encoder.removeprefix(TIMM)
            if not timm.is_model(name.split(".")[0]):
                raise one_of("timm encoder", self.encoder, [TIMM + known for known in timm.list_models()])
            return
        from segmentation_models_pytorch.encoders import get_encoder_names

        if self.encoder not in get_encoder_names():
            names = get_encoder_names()
            raise InputError(
                f"{one_of('encoder', self.encoder, names)}; or any timm network that gives features, as {TIMM}NAME"
            )


def check_timm_file(name: str, file: Path) -> None:
    """Refuse a file that lacks weights of a timm network: timm would leave these random without a word."""
    import timm
    import torch

    with torch.device("meta"):
        classifier = timm.create_model(name)
    known = timm.get_pretrained_cfg(name)
    head = (known.classifier if known else None) or ()
    heads = (head,) if isinstance(head, str) else tuple(head)
    check_complete(classifier, read_tensors(file), file, besides=tuple(f"{part}." for part in heads))


class StepwiseDecoder(EncoderDecoder):
    """A decoder that doubles the resolution once for every step of the encoder."""

    decoder_channels: tuple[int, ...] | None = None
    """Channels after every doubling; by default the last ``encoder_depth`` of 256, 128, 64, 32, 16."""

    def arguments(self) -> dict[str, Any]:
        """Give the arguments of the library's class."""
        channels = self.decoder_channels or (256, 128, 64, 32, 16)[5 - self.encoder_depth :]
        if len(channels) != self.encoder_depth:
            raise InputError(
                f"{self.architecture_name}: {len(channels)} decoder_channels for an encoder_depth of "
                f"{self.encoder_depth}; give one number for each"
            )
        return {**super().arguments(), "decoder_channels": channels}
