import pytest
import timm
import torch
from safetensors.torch import save_file

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, create_network
from beamforge.learning.architectures import ARCHITECTURES
from beamforge.learning.losses.cross_entropy import cross_entropy
from contracts.architecture import images

SMALL = NetworkConfig(architecture="classifier", encoder="test_resnet")


@pytest.mark.parametrize("encoder", ["test_resnet", "tu-test_efficientnet", "test_vit", "mobilenetv3_small_050"])
@pytest.mark.parametrize(("channels", "classes", "way"), [(1, 2, "direct"), (5, 3, "mixer")])
def test_any_encoder_any_channels_any_size_gives_one_pixel_of_classes(
    encoder: str, channels: int, classes: int, way: str
) -> None:
    network = create_network(SMALL.model_copy(update={"encoder": encoder, "input": way}), channels, classes)
    logits = network(images(2, channels, 75, 90))
    assert logits.shape == (2, classes, 1, 1)
    cross_entropy(logits, torch.tensor([[[0]], [[1]]])).backward()
    first = next(network.parameters()).grad
    assert first is not None
    assert 0 < first.abs().sum() < torch.inf


def test_at_lower_resolution_it_still_gives_one_pixel_of_classes() -> None:
    network = create_network(SMALL.model_copy(update={"shrink": 3}), 2, 4)
    assert network(images(2, 2, 75, 90)).shape == (2, 4, 1, 1)
    assert next(network.parameters()).shape[1] == 2 * 3**2


def test_the_logits_are_timms_pooled_features_times_the_head() -> None:
    network = create_network(SMALL, 3, 4, seed=2).eval()
    other = timm.create_model("test_resnet", num_classes=4).eval()
    encoder, head = network.core.get_submodule("encoder"), network.core.get_submodule("head")
    other.load_state_dict({**encoder.state_dict(), **{f"fc.{n}": t for n, t in head.state_dict().items()}})
    batch = images(2, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(network(batch)[:, :, 0, 0], other(batch), rtol=1e-5, atol=1e-5)


def test_takes_a_timm_file_and_a_file_of_its_own_but_not_the_head_of_other_classes(tmp_path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = timm.create_model("test_resnet").state_dict()
    save_file(theirs, tmp_path / "timm.safetensors")
    filled = create_network(SMALL.model_copy(update={"weights": str(tmp_path / "timm.safetensors")}), 3, 2)
    for name, tensor in filled.core.get_submodule("encoder").state_dict().items():
        assert torch.equal(tensor, theirs[name])
    save_file(filled.state_dict(), tmp_path / "ours.safetensors")
    ours = SMALL.model_copy(update={"weights": str(tmp_path / "ours.safetensors")})
    again, wider = (create_network(ours, 3, classes, seed=9).state_dict() for classes in (2, 5))
    for name, tensor in filled.state_dict().items():
        assert torch.equal(again[name], tensor)
        assert name.startswith("core.head.") or torch.equal(wider[name], tensor)
    del theirs["layer1.0.conv1.weight"]
    save_file(theirs, tmp_path / "part.safetensors")
    with pytest.raises(InputError, match=r"lacks .*layer1\.0\.conv1\.weight"):
        create_network(SMALL.model_copy(update={"weights": str(tmp_path / "part.safetensors")}), 3, 2)


def test_what_cannot_be_built_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        create_network(SMALL.model_copy(update={"encoder": "resnet_18"}), 1, 2)
    with pytest.raises(InputError, match="'levit_128' takes images of one size only"):
        create_network(SMALL.model_copy(update={"encoder": "levit_128"}), 1, 2)


def test_only_this_architecture_classifies() -> None:
    assert [name for name in ARCHITECTURES.names() if ARCHITECTURES[name].task == "classification"] == ["classifier"]
    assert NetworkConfig(architecture="classifier").build_architecture().encoder == "resnet50"
