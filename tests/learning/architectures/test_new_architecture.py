"""An architecture needs no more than the docs say: one class."""

from typing import ClassVar

from pydantic import PositiveInt
from torch import nn

from beamforge.learning import NetworkConfig
from beamforge.learning.architectures import Architecture
from contracts.architecture import ArchitectureContract


class Tiny(Architecture, name="tiny"):
    """Two convolutions."""

    head: ClassVar[tuple[str, ...]] = ("2.",)

    width: PositiveInt = 16

    def build(self, channels: int, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(channels, self.width, 3, padding=1), nn.ReLU(), nn.Conv2d(self.width, classes, 1)
        )

    def multiple(self, network: nn.Module) -> int:
        return 1


class TestTinyContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="tiny", options={"width": 4})]
