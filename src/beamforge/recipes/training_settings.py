"""The settings of a training without a recipe."""

from __future__ import annotations

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.settings import Settings


class TrainingSettings(Settings):
    """Network and training, as in a recipe."""

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
