"""The settings of a training without a recipe."""

from __future__ import annotations

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.learning.architectures.base import CLASSIFICATION
from beamforge.learning.tile_rules import AnyPixel, DrawnClass
from beamforge.recipes.settings import Settings


class TrainingSettings(Settings):
    """Network and training, as in a recipe.

    Attributes
    ----------
    network, training
        See `NetworkConfig` and `TrainingConfig`.
    tile_class
        What the class of a tile is, where the network is a classifier.
    """

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    tile_class: AnyPixel | DrawnClass = AnyPixel()

    @property
    def classifies(self) -> bool:
        """Whether the network gives tiles a class."""
        return self.network.build_architecture().task == CLASSIFICATION
