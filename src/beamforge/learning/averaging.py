"""An exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from beamforge.learning.network import Network


class MovingAverage:
    """Follows the weights of a network; running statistics are averaged too, counters are copied.

    The past weighs ``min(decay, (1 + n) / (10 + n))`` after n updates, so that the random first weights are forgotten
    early (as in TensorFlow's ExponentialMovingAverage).

    Attributes
    ----------
    network
        A network with the averaged weights.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: Network, updates: int) -> None:
        """Move towards the network's present weights, after so many updates."""
        keep = min(self._decay, (1 + updates) / (10 + updates))
        present = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(present[name], 1 - keep)
            else:
                average.copy_(present[name])

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from an earlier state."""
        self.network.load_state_dict(dict(tensors))
