"""What networks cost, against counting by hand."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from beamforge.learning import NetworkConfig
from beamforge.learning.cost import count_macs, forget_peak_memory, measure_cost, peak_memory


def test_operations_are_those_of_the_formula() -> None:
    # Output pixels x kernel x channels in x channels out.
    network = nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 3, 1, stride=2))
    assert count_macs(network, 2, (20, 30)) == 20 * 30 * 9 * 2 * 5 + 10 * 15 * 5 * 3


def test_the_cost_of_a_network_is_that_of_its_parts() -> None:
    config = NetworkConfig(architecture="plain_unet", options={"width": 32, "depth": 3})
    cost = measure_cost(config, 1, 3, (96, 80), batch=2, repeats=3, train_tile=64, train_batch=4, threads=1)
    made = config.build_architecture().build(1, 3)
    assert cost.parameters == sum(parameter.numel() for parameter in made.parameters())
    assert cost.macs == count_macs(made, 1, (96, 80))
    assert 0 < cost.predict_seconds < 60
    # At the finest resolution a step keeps at least the results of two convolutions and of their normalisations.
    assert cost.train_bytes > 4 * 4 * 32 * 64 * 64 * 4
    assert (cost.size, cost.batch, cost.threads, cost.device) == ((96, 80), 2, 1, "cpu")


def test_the_peak_is_remembered_until_it_is_forgotten() -> None:
    block = np.ones(64 << 20, np.uint8)
    high = peak_memory()
    del block
    assert peak_memory() > high - (8 << 20)  # the kernel counts in batches of pages
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system cannot forget a peak")
    forget_peak_memory()
    assert peak_memory() < high - (32 << 20)
