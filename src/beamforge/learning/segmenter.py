"""A trained network with all it needs to be applied: scaling, classes, channels, tile and halo, provenance."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError, model_validator

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.files import atomic_path, read_json, write_json
from beamforge.learning.checkpoint import save_tensors
from beamforge.learning.config import NetworkConfig
from beamforge.learning.network import Network, create_network
from beamforge.learning.scaling import Scaling
from beamforge.learning.weights import fill, read_tensors
from beamforge.simulation.step import describe
from beamforge.stack import Channel, Classes


class ModelDescription(BaseModel):
    """The content of ``model.json``.

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
    halo
        How far in px around a pixel the image influences its class noticeably.
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
    halo: NonNegativeInt
    provenance: dict[str, Any]

    @model_validator(mode="after")
    def _scaling_of_the_channels(self) -> Self:
        if len(self.scaling.offset) != len(self.channels):
            raise ValueError(f"scaling of {len(self.scaling.offset)} channels for {len(self.channels)}")
        return self


class Segmenter:
    """A trained network as a `beamforge.predictor.Predictor`.

    Parameters
    ----------
    network
        The network; it is moved to the device and put into evaluation mode.
    description
        All else there is to know.
    device
        ``"auto"`` takes an accelerator where there is one.
    """

    def __init__(
        self, network: Network, description: ModelDescription, device: Literal["auto", "cpu", "cuda"] = "auto"
    ) -> None:
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
    def halo(self) -> int:
        """Context in px."""
        return self.description.halo

    @property
    def multiple(self) -> int:
        """Divisor of valid image sides in px; `log_probabilities` continues other sides by itself."""
        return self.network.multiple

    @property
    def tile(self) -> int:
        """Side in px of the tiles it was trained on."""
        return self.description.tile

    @torch.inference_mode()
    def log_probabilities(self, images: Float32) -> Float32:
        """Map images to log-probabilities.

        Parameters
        ----------
        images
            float32 (batch, channel, y, x) in the stack's own units; pixels that are not finite are filled with the
            channel's centre.

        Returns
        -------
        float32 (batch, class, y, x).

        Raises
        ------
        InputError
            If the shape does not fit the model.
        """
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
    def load(cls, folder: str | Path, device: Literal["auto", "cpu", "cuda"] = "auto") -> Self:
        """Read a model from its folder.

        Raises
        ------
        InputError
            If a file is missing or does not hold what it should.
        """
        description = read_description(folder)
        untrained = description.network.model_copy(update={"weights": "random"})
        network = create_network(untrained, len(description.channels), len(description.classes))
        file = Path(folder) / "model.safetensors"
        fill(network, read_tensors(file), file)
        return cls(network, description, device)


def read_description(folder: str | Path) -> ModelDescription:
    """Read and check ``model.json``.

    Raises
    ------
    InputError
        Naming what is missing or wrong.
    """
    file = Path(folder) / "model.json"
    try:
        return ModelDescription.model_validate(read_json(file))
    except ValidationError as error:
        raise InputError(f"{file}: {describe(error)}") from error


def choose_device(device: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Find the device to compute on.

    Raises
    ------
    InputError
        If CUDA is asked for and not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is 'cuda' but torch finds no CUDA device; set device to 'auto' or 'cpu'")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
