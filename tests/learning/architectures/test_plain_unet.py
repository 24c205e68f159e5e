import torch

from beamforge.learning import NetworkConfig, create_network
from contracts.architecture import ArchitectureContract, images


class TestPlainUNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="plain_unet", options={"width": 4, "depth": 4})]


def test_an_image_does_not_depend_on_its_batch_in_training() -> None:
    network = create_network(NetworkConfig(architecture="plain_unet", options={"width": 4, "depth": 3}), 1, 2).train()
    pair = images(2, 1)
    with torch.no_grad():
        together, alone = network(pair)[:1], network(pair[:1])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_channels_double_until_the_widest() -> None:
    network = create_network(NetworkConfig(architecture="plain_unet", options={"width": 128, "depth": 4}), 1, 2)
    outputs = [stage[0][0].out_channels for stage in network.core.down]
    assert outputs == [128, 256, 512, 512]
