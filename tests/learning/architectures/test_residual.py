import torch

from beamforge.learning import NetworkConfig, create_network
from contracts.architecture import ArchitectureContract, images


class TestResidualContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="residual", options={"width": 8, "blocks": 2})]


def test_it_sees_as_far_as_its_convolutions_reach() -> None:
    network = create_network(NetworkConfig(architecture="residual", options={"width": 4, "blocks": 3}), 1, 2).eval()
    image = images(1, 1)
    other = image.clone()
    other[0, 0, 32, 32] += 100.0
    with torch.inference_mode():
        changed = (network(image) != network(other))[0].any(dim=0)
    rows, columns = torch.nonzero(changed, as_tuple=True)
    # The stem reaches 1 px, every block 2.
    assert int((rows - 32).abs().max()) == int((columns - 32).abs().max()) == 7
