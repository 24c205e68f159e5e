"""What an architecture is: a frozen config of its options that builds the network.

The configs are light to import; the libraries behind them are imported when a network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from beamforge.errors import InputError, one_of
from beamforge.learning.registry import Registry
from beamforge.simulation.step import describe

if TYPE_CHECKING:
    from torch import nn

TaskName = Literal["segmentation", "classification"]
SEGMENTATION: Final = "segmentation"
CLASSIFICATION: Final = "classification"

ARCHITECTURES: Registry[type[Architecture]] = Registry("architecture", "beamforge.learning.architectures")


class Architecture(BaseModel):
    """A family of networks; its options are pydantic fields and its name stands in the class header.

    A subclass writes `build` and, if it has pretrained parts, `encoder_of` and `cached_encoder`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture_name: ClassVar[str] = ""
    task: ClassVar[TaskName] = SEGMENTATION
    """What its networks give: a class for every pixel, or one for the whole image."""
    head: ClassVar[tuple[str, ...]] = ()
    """First parts of the names of the parameters that depend on the number of classes."""

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if name is not None:
            cls.architecture_name = name
            ARCHITECTURES.add(name, cls)

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    def build(self, channels: int, classes: int) -> nn.Module:
        """Make the network with random weights: (batch, channels, y, x) to logits (batch, classes, y, x).

        Those of a classifier are (batch, classes, 1, 1).
        """
        raise NotImplementedError(f"the architecture {self.architecture_name!r} has no build")

    def multiple(self, network: nn.Module) -> int:
        """Say what image sides must be divisible by, in px."""
        raise NotImplementedError(f"the architecture {self.architecture_name!r} has no multiple")

    def encoder_of(self, network: nn.Module) -> nn.Module:
        """Give the part of the network that pretrained classification weights fit."""
        raise InputError(f"{self.architecture_name} has no encoder that pretrained weights would fit")

    def cached_encoder(self) -> Path | None:
        """Find pretrained weights of the encoder in timm's local cache; None where they are not there."""
        return None

    def load_encoder(self, network: nn.Module, file: Path) -> None:
        """Fill the encoder from a safetensors file of pretrained weights."""
        from beamforge.learning.weights import fill, read_tensors

        fill(self.encoder_of(network), read_tensors(file), file)


def create_architecture(name: str, options: Mapping[str, Any]) -> Architecture:
    """Build an architecture's config.

    Raises
    ------
    InputError
        For an unknown architecture, or an option or value it does not take.
    """
    kind = ARCHITECTURES[name]
    for key in options:
        if key not in kind.model_fields:
            raise one_of(f"option of the architecture {name!r}", key, kind.model_fields)
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        raise InputError(f"architecture {name!r}: {describe(error)}") from error
