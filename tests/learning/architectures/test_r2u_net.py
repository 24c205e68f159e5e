import torch

from beamforge.learning import NetworkConfig, create_network
from beamforge.learning.u_shape import RecurrentConvolution, RecurrentResidual
from contracts.architecture import ArchitectureContract


class TestR2UNetContract(ArchitectureContract):
    examples = [NetworkConfig(architecture="r2u_net", options={"width": 4, "depth": 3})]


def test_rounds_widen_the_view_but_share_their_convolution() -> None:
    counts, reaches = [], []
    for rounds in (1, 3):
        block = RecurrentResidual(1, 2, rounds).eval()
        with torch.no_grad():
            for parameter in block.parameters():
                parameter.fill_(0.1)
        counts.append(sum(parameter.numel() for parameter in block.parameters() if parameter.ndim == 4))
        image = torch.ones(1, 1, 1, 41, requires_grad=True)
        block(image)[0, 0, 0, 20].backward()
        assert image.grad is not None
        reaches.append(int((torch.nonzero(image.grad[0, 0, 0])[:, 0] - 20).abs().max()))
    assert counts[0] == counts[1]
    # Two recurrent convolutions, each 3 px wide and applied once more than it has rounds.
    assert reaches == [4, 8]


def test_what_was_learnt_holds_after_training() -> None:
    """Running statistics that rounds share would fit none of them, and the answer in evaluation would be another."""
    generator = torch.Generator().manual_seed(0)
    block = RecurrentConvolution(4, 3)
    image = 2.0 + torch.randn(8, 4, 16, 16, generator=generator)
    with torch.no_grad():
        for _ in range(200):
            trained = block(image)
        torch.testing.assert_close(block.eval()(image), trained, rtol=0.0, atol=0.02)


def test_rounds_are_an_option() -> None:
    shallow, deep = (
        create_network(NetworkConfig(architecture="r2u_net", options={"width": 2, "depth": 2, "rounds": n}), 1, 2)
        for n in (1, 4)
    )
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    assert not torch.equal(shallow(images), deep(images))
