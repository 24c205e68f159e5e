"""One file per family of networks; each registers itself by the name in its class header."""

from beamforge.learning.architectures.base import ARCHITECTURES, Architecture, create_architecture

__all__ = ["ARCHITECTURES", "Architecture", "create_architecture"]
