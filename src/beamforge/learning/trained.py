"""A trained network with all it needs to be applied, in a folder: ``model.safetensors`` and ``model.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.files import atomic_path, read_json, write_json
from beamforge.learning.architectures.base import SEGMENTATION, TaskName
from beamforge.learning.checkpoint import save_tensors
from beamforge.learning.config import NetworkConfig
from beamforge.learning.network import Network, create_network
from beamforge.learning.scaling import Scaling
from beamforge.learning.weights import fill, read_tensors
from beamforge.simulation.step import describe
from beamforge.stack import Channel, Classes

Device = Literal["auto", "cpu", "cuda"]


class Description(BaseModel):
    """The content of ``model.json`` that every model has.

    Attributes
    ----------
    format
        Version of the layout.
    network
        What `create_network` makes the network from.
    channels, classes
        What goes in and what comes out.
    scaling
        Scaling of the channels.
    tile
        Side in px of the tiles it was trained on.
    provenance
        Where the model comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    network: NetworkConfig
    channels: tuple[Channel, ...]
    classes: Classes
    scaling: Scaling
    tile: PositiveInt
    provenance: dict[str, Any]

    @model_validator(mode="after")
    def _scaling_of_the_channels(self) -> Self:
        if len(self.scaling.offset) != len(self.channels):
            raise ValueError(f"scaling of {len(self.scaling.offset)} channels for {len(self.channels)}")
        return self


D = TypeVar("D", bound=Description)


class TrainedNetwork(Generic[D]):
    """A network and its description; a subclass says what they do together.

    Parameters
    ----------
    network
        The network; it is moved to the device and put into evaluation mode.
    description
        All else there is to know.
    device
        ``"auto"`` takes an accelerator where there is one.
    """

    task: ClassVar[TaskName]
    description_class: ClassVar[type[Description]]

    def __init__(self, network: Network, description: D, device: Device = "auto") -> None:
        self.device = choose_device(device)
        self.network = network.to(self.device).to(memory_format=torch.channels_last).eval()
        self.description = description

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the input channels are."""
        return self.description.channels

    @property
    def classes(self) -> Classes:
        """What the output classes are."""
        return self.description.classes

    @property
    def tile(self) -> int:
        """Side in px of the tiles it was trained on."""
        return self.description.tile

    @torch.inference_mode()
    def _log_softmax(self, images: Float32) -> Float32:
        """Scale images (batch, channel, y, x) and compute log-probabilities along axis 1."""
        scaled = self.description.scaling(torch.as_tensor(np.asarray(images, dtype=np.float32)).to(self.device))
        logits = self.network(scaled.contiguous(memory_format=torch.channels_last))
        result: Float32 = logits.float().log_softmax(dim=1).cpu().contiguous().numpy()
        return result

    def save(self, folder: str | Path) -> None:
        """Write ``model.safetensors`` and ``model.json`` into a folder, which appears or changes as a whole."""
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            save_tensors(temporary / "model.safetensors", self.network.state_dict())
            write_json(temporary / "model.json", self.description.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: str | Path, device: Device = "auto") -> Self:
        """Read a model from its folder.

        Raises
        ------
        InputError
            If a file is missing or does not hold what it should, or the model is of another task.
        """
        description = cls.read_description(folder)
        untrained = description.network.model_copy(update={"weights": "random"})
        network = create_network(untrained, len(description.channels), len(description.classes))
        file = Path(folder) / "model.safetensors"
        fill(network, read_tensors(file), file)
        return cls(network, description, device)

    @classmethod
    def read_description(cls, folder: str | Path) -> D:
        """Read and check ``model.json``.

        Raises
        ------
        InputError
            Naming what is missing or wrong.
        """
        file = Path(folder) / "model.json"
        content = read_json(file)
        task = content.get("task", SEGMENTATION) if isinstance(content, dict) else SEGMENTATION
        if task != cls.task:
            raise InputError(f"{file} is a model for {task}, expected one for {cls.task}; take another model")
        try:
            return cls.description_class.model_validate(content)  # type: ignore[return-value]
        except ValidationError as error:
            raise InputError(f"{file}: {describe(error)}") from error


def choose_device(device: Device) -> torch.device:
    """Find the device to compute on.

    Raises
    ------
    InputError
        If CUDA is asked for and not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is 'cuda' but torch finds no CUDA device; set device to 'auto' or 'cpu'")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
