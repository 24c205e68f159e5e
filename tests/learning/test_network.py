import pytest
import torch
from torch import nn

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, create_network


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'deeplabv3_resnet50'"):
        NetworkConfig(architecture="deeplab_resnet50")
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        create_network(NetworkConfig(encoder="resnet_18"), 3, 2)
    with pytest.raises(InputError, match="did you mean 'tu-xception71'"):
        create_network(NetworkConfig(encoder="tu-xception_71"), 3, 2)


def test_an_encoder_where_there_is_no_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="'encoder'"):
        NetworkConfig(architecture="fcn_resnet50", encoder="resnet18")


def test_an_encoder_that_cannot_dilate_is_refused() -> None:
    with pytest.raises(InputError, match="deeplabv3 cannot be built on the encoder 'xception'"):
        create_network(NetworkConfig(architecture="deeplabv3", encoder="xception"), 3, 2)


def test_the_dilating_xception_of_timm_is_accepted() -> None:
    config = NetworkConfig(
        architecture="deeplabv3+", encoder="tu-xception71", options={"decoder_atrous_rates": [3, 6, 9]}
    )
    with torch.inference_mode():
        assert create_network(config, 1, 3).eval()(torch.zeros(1, 1, 32, 48)).shape == (1, 3, 32, 48)


def test_channels_per_step_must_match_the_depth() -> None:
    config = NetworkConfig(options={"encoder_depth": 4, "decoder_channels": [64, 32, 16]})
    with pytest.raises(InputError, match="3 decoder_channels for an encoder_depth of 4"):
        create_network(config, 3, 2)


def test_a_mixer_is_three_sums_of_the_channels() -> None:
    network = create_network(NetworkConfig(encoder="resnet18", input="mixer"), 24, 2)
    assert isinstance(network.mixer, nn.Conv2d)
    assert network.mixer.weight.shape == (3, 24, 1, 1)


def test_image_pooling_does_not_depend_on_the_rest_of_the_batch() -> None:
    network = create_network(NetworkConfig(architecture="deeplabv3_resnet50"), 1, 2)
    pooling = network.core.get_submodule("classifier.0.convs.4")
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in pooling.modules())
    pooling.double().train()
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(3, 2048, 4, 4, generator=generator, dtype=torch.double)
    assert torch.allclose(pooling(images)[:1], pooling(images[:1]), atol=1e-9)


def test_no_channels_are_refused() -> None:
    with pytest.raises(InputError, match="0 channels"):
        create_network(NetworkConfig(), 0, 2)
