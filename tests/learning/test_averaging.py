import numpy as np
import torch
from torch import nn

from beamforge.learning.averaging import MovingAverage
from beamforge.learning.network import Network


def test_average_is_the_recursion_and_counters_are_copied() -> None:
    network = Network(nn.BatchNorm2d(1), nn.Identity(), 1, nn.Identity(), 1)
    average = MovingAverage(network, decay=0.3)
    expected = 1.0
    for update, value in enumerate([4.0, -2.0, 7.0, 7.0, 1.0]):
        with torch.no_grad():
            network.core.weight.fill_(value)  # type: ignore[union-attr, operator]
        network.core.num_batches_tracked += 1
        average.update(network, update)
        keep = min(0.3, (1 + update) / (10 + update))
        expected = keep * expected + (1 - keep) * value
    state = average.network.state_dict()
    np.testing.assert_allclose(state["core.weight"], [expected], rtol=1e-6)
    assert state["core.num_batches_tracked"] == 5
    assert network.core.weight.item() == 1.0


def test_restored_average_goes_on_the_same() -> None:
    network = Network(nn.Conv2d(1, 1, 1), nn.Identity(), 1, nn.Identity(), 1)
    average = MovingAverage(network, decay=0.9)
    again = MovingAverage(network, decay=0.9)
    for update in range(3):
        with torch.no_grad():
            network.core.weight.mul_(1.7)  # type: ignore[union-attr, operator]
        average.update(network, update)
    again.restore(average.network.state_dict())
    for followed in (average, again):
        followed.update(network, 3)
    assert torch.equal(average.network.state_dict()["core.weight"], again.network.state_dict()["core.weight"])
