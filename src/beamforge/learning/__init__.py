"""Architectures, losses, training and checkpoints.

The settings are light to import; what computes loads torch when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from beamforge.learning.config import NetworkConfig, TrainingConfig
from beamforge.learning.scaling import Scaling

if TYPE_CHECKING:
    from beamforge.learning.classifier import Classifier
    from beamforge.learning.ensemble import Ensemble
    from beamforge.learning.events import read_events
    from beamforge.learning.network import Network, create_network
    from beamforge.learning.plan import LabelledTiles
    from beamforge.learning.rate_range import RateRange, learning_rate_range
    from beamforge.learning.segmenter import Segmenter
    from beamforge.learning.training import train, train_classifier

__all__ = [
    "Classifier",
    "Ensemble",
    "LabelledTiles",
    "Network",
    "NetworkConfig",
    "RateRange",
    "Scaling",
    "Segmenter",
    "TrainingConfig",
    "create_network",
    "learning_rate_range",
    "read_events",
    "train",
    "train_classifier",
]

_WHERE = {
    "Classifier": "classifier",
    "Ensemble": "ensemble",
    "LabelledTiles": "plan",
    "Network": "network",
    "RateRange": "rate_range",
    "Segmenter": "segmenter",
    "create_network": "network",
    "learning_rate_range": "rate_range",
    "read_events": "events",
    "train": "training",
    "train_classifier": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
