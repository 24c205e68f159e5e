import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from beamforge.errors import BeamforgeError, InputError
from beamforge.learning import NetworkConfig, RateRange, Scaling, TrainingConfig, create_network, learning_rate_range
from contracts.class_tiles import StripedTiles
from contracts.labelled_tiles import SmallTiles

NETWORK = NetworkConfig(architecture="classifier", encoder="test_resnet")
SCALING = Scaling(offset=np.array([100.0]), scale=np.array([1.0]))
SGD = TrainingConfig(
    optimizer="sgd", weight_decay=0, batch=8, threads=1, device="cpu", loss="cross_entropy", precision="fp32", seed=3
)


def test_the_losses_are_those_of_a_plain_loop() -> None:
    """Written with torch alone: gradient, momentum 0.9, the rate ten times larger after every tenth step."""
    found = learning_rate_range(NETWORK, SGD, StripedTiles(seed=2), low=1e-4, high=1e-2, steps=21, scaling=SCALING)
    np.testing.assert_allclose(found.rates[[0, 10, 20]], [1e-4, 1e-3, 1e-2])
    network, tiles = create_network(NETWORK, 1, 2, seed=3).train(), StripedTiles(seed=2)
    parameters = list(network.parameters())
    speed = [torch.zeros_like(p) for p in parameters]
    for step, loss_found in enumerate(found.losses):
        images, labels = (torch.stack(part) for part in zip(*(tiles[8 * step + n] for n in range(8)), strict=True))
        loss = cross_entropy(network(images - 100)[:, :, 0, 0], labels[:, 0, 0])
        assert loss_found == pytest.approx(loss.item(), rel=2e-3)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, velocity, gradient in zip(parameters, speed, gradients, strict=True):
                velocity.mul_(0.9).add_(gradient)
                parameter.sub_(1e-4 * 10 ** (step / 10) * velocity)


def test_finds_where_a_training_falls_and_bursts_and_leaves_nothing_behind() -> None:
    state = torch.get_rng_state()
    training = SGD.model_copy(update={"optimizer": "adamw"})
    tiles = StripedTiles(seed=2, line=1.5)
    found, again = (learning_rate_range(NETWORK, training, tiles, low=1e-5, high=10, steps=80) for _ in range(2))
    assert again.losses.tobytes() == found.losses.tobytes()
    assert torch.equal(torch.get_rng_state(), state)
    assert len(found.rates) < 80
    assert found.rises
    assert 1e-5 < found.steepest <= found.lowest < 10
    assert found.smoothed.min() < 0.6 * found.smoothed[0]
    assert found.suggestion == found.lowest / 10


def test_what_follows_from_a_known_curve() -> None:
    rates = np.geomspace(1e-5, 1, 51)
    decades = np.log10(rates)
    falling = 1 / (1 + np.exp((decades + 3) * 6))  # steepest at 1e-3
    smoothed = 0.2 + falling + np.where(decades > -1.5, (decades + 1.5) ** 2, 0)
    found = RateRange(rates=rates, losses=smoothed, smoothed=smoothed)
    assert found.steepest == pytest.approx(1e-3)
    assert found.rises
    assert found.lowest == pytest.approx(10**-1.5, rel=0.3)
    assert found.suggestion == pytest.approx(10**-2.5, rel=0.3)
    assert found.falls
    flat = 0.7 + 0.02 * np.sin(np.arange(51.0))
    assert not RateRange(rates=rates, losses=flat, smoothed=flat).falls


def test_segmenters_and_stages_are_tried_too() -> None:
    network = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [8, 8, 8]})
    stages = ({"train": "head", "side": 16}, {})
    training = TrainingConfig.model_validate(SGD.model_dump() | {"stages": stages, "batch": 2})
    found = [learning_rate_range(network, training, SmallTiles(seed=1), low=1e-3, steps=10, stage=s) for s in (1, 2)]
    # The same first weights; other tiles' sizes give another loss.
    assert found[0].losses[0] != found[1].losses[0]
    with pytest.raises(InputError, match="stage is 3, the training has 2"):
        learning_rate_range(network, training, SmallTiles(seed=1), stage=3)


def test_ranges_that_show_nothing_are_named() -> None:
    with pytest.raises(InputError, match=r"low 1, high 0\.1, 100 steps: expected 0 < low < high and at least 10"):
        learning_rate_range(NETWORK, SGD, StripedTiles(seed=2), low=1, high=0.1)
    with pytest.raises(BeamforgeError, match="the loss falls nowhere between the learning rates 1e\\+06"):
        learning_rate_range(NETWORK, SGD, StripedTiles(seed=2), low=1e6, high=1e8, steps=10)
    with pytest.raises(InputError, match="classification needs one class"):
        learning_rate_range(NETWORK, SGD, SmallTiles(seed=2))
