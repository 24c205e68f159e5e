"""The networks of the TXM comparison on what its slices are: single images, 16 and 32 bit, sizes that fit no stride."""

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, Scaling, TrainingConfig, create_network
from beamforge.learning.losses import create_loss

XCEPTION = NetworkConfig(
    architecture="deeplabv3+", encoder="tu-xception71", options={"decoder_atrous_rates": [3, 6, 9]}
)
NETWORKS = [
    XCEPTION,
    NetworkConfig(architecture="pspnet", encoder="resnet18"),
    NetworkConfig(architecture="unet++", encoder="resnet18", options={"encoder_depth": 3}),
    NetworkConfig(architecture="segformer", encoder="mit_b0"),
    NetworkConfig(architecture="upernet", encoder="tu-convnext_atto", options={"encoder_depth": 4}),
]


def slice_of(dtype: type) -> np.ndarray:
    """A slice (channel, y, x) of 16-bit counts or 32-bit attenuation coefficients, 75 x 67 px."""
    counts = default_rng(2).normal(30000, 4000, (1, 75, 67)).astype(np.uint16)
    return counts if dtype is np.uint16 else (counts * 1e-3 - 4.0).astype(np.float32)


@pytest.mark.parametrize("config", NETWORKS, ids=lambda c: f"{c.architecture} {c.encoder}")
def test_a_training_step_on_a_single_slice_of_any_size_and_depth_of_bits(config: NetworkConfig) -> None:
    labels = torch.from_numpy(default_rng(3).integers(0, 3, (1, 75, 67)))
    loss = create_loss("cross_entropy_dice", {})
    found = {}
    for dtype in (np.uint16, np.float32):
        image = slice_of(dtype).astype(np.float32)
        scaled = Scaling.fit([image], "standard")(torch.from_numpy(image[None]))
        network = create_network(config, 1, 3, seed=4).train()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            value = loss(network(scaled), labels)
        value.backward()
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        assert all(gradient.isfinite().all() for gradient in gradients)
        found[dtype] = float(value.detach())
    # The scaling takes out what the unit of the values is; float32 holds both to seven digits.
    assert found[np.uint16] == pytest.approx(found[np.float32], rel=1e-3)


def test_xception_dilates_where_its_stride_ends() -> None:
    network = create_network(XCEPTION, 1, 3)
    assert network.multiple == 16
    rates = {m.dilation for m in network.core.decoder.aspp.modules() if isinstance(m, torch.nn.Conv2d)}
    assert {(3, 3), (6, 6), (9, 9)} <= rates
    inside = {m.dilation for m in network.core.encoder.modules() if isinstance(m, torch.nn.Conv2d)}
    assert (2, 2) in inside
    with pytest.raises(InputError, match="xception"):
        create_network(XCEPTION.model_copy(update={"encoder": "xception"}), 1, 3)


def test_the_published_losses_and_their_sums_are_settings() -> None:
    for settings in (
        {"loss": "cross_entropy"},
        {"loss": "mean_squared_error"},
        {"loss": "dice"},
        {"loss": "weighted_sum", "loss_options": {"terms": {"mean_squared_error": 1.0, "dice": 0.5}}},
    ):
        assert TrainingConfig.model_validate(settings).loss == settings["loss"]
