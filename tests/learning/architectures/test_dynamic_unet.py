import numpy as np
import pytest
import torch
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, create_network
from beamforge.learning.pixel_shuffle import ShuffleUp
from contracts.architecture import ArchitectureContract


class TestDynamicUNetContract(ArchitectureContract):
    examples = [
        NetworkConfig(architecture="dynamic_unet", encoder="resnet10t", options={"depth": 3, "width": 8}),
        NetworkConfig(architecture="dynamic_unet", encoder="edgenext_xx_small", options={"depth": 2, "width": 8}),
    ]


def test_a_fresh_step_up_enlarges_like_nearest_neighbours() -> None:
    generator = torch.Generator().manual_seed(1)
    step = ShuffleUp(6, 5)
    image = torch.randn(2, 6, 4, 3, generator=generator)
    large = step(image)
    assert large.shape == (2, 5, 8, 6)
    blocks = large.reshape(2, 5, 4, 2, 3, 2)
    torch.testing.assert_close(blocks, blocks[:, :, :, :1, :, :1].expand_as(blocks))


def test_the_input_reaches_the_end_at_full_resolution() -> None:
    network = create_network(
        NetworkConfig(architecture="dynamic_unet", encoder="resnet10t", options={"depth": 2, "width": 8}), 1, 2
    ).eval()
    image = torch.from_numpy(default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32))
    kept: list[torch.Tensor] = []
    network.core.joins[-1].register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))  # type: ignore[union-attr,index]
    network(image)
    torch.testing.assert_close(kept[0][:, -1:], image)


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'resnet34'"):
        create_network(NetworkConfig(architecture="dynamic_unet", encoder="resnet3"), 1, 2)
