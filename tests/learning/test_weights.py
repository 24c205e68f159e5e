"""Weights from files and from the cache; caches are built here from random weights."""

from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import encoders

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, create_network

SMP_RESNET18 = encoders["resnet18"]["pretrained_settings"]["imagenet"]


def put_in_cache(cache: Path, repository: str, revision: str, tensors: dict[str, torch.Tensor]) -> None:
    """Lay a file out as the hub's client does."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(revision)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, snapshot / "model.safetensors")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_encoder_of_the_library_from_the_cache(cache: Path) -> None:
    torch.manual_seed(1)
    trained = smp.encoders.get_encoder("resnet18").state_dict()
    put_in_cache(cache, SMP_RESNET18["repo_id"], SMP_RESNET18["revision"], trained)
    config = NetworkConfig(encoder="resnet18", weights="cached", input="mixer")
    state = create_network(config, 24, 4).core.get_submodule("encoder").state_dict()
    assert all(torch.equal(state[name], trained[name]) for name in trained)


def test_timm_encoder_from_the_cache_with_its_own_names(cache: Path) -> None:
    # mobilenetv3's features-only form names its layers otherwise than the classifier does; timm translates.
    name = "mobilenetv3_small_050.lamb_in1k"
    trained = timm.create_model(name, pretrained=False)
    put_in_cache(cache, f"timm/{name}", "abc", trained.state_dict())
    config = NetworkConfig(encoder=f"tu-{name}", weights="cached", input="mixer")
    encoder = create_network(config, 5, 4).core.get_submodule("encoder")
    first = next(module for module in encoder.modules() if isinstance(module, torch.nn.Conv2d))
    assert torch.equal(first.weight, trained.conv_stem.weight)
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    features = timm.create_model(name, pretrained=False, features_only=True)
    with torch.inference_mode():
        expected = trained.eval().blocks(trained.bn1(trained.conv_stem(images)))
        assert features is not None
        deepest = encoder.eval()(images)[-1]
    assert torch.allclose(deepest, expected, atol=1e-5)


def test_torchvision_network_takes_timms_copy_of_the_backbone(cache: Path) -> None:
    torch.manual_seed(2)
    trained = timm.create_model("resnet50.tv_in1k", pretrained=False).state_dict()
    put_in_cache(cache, "timm/resnet50.tv_in1k", "abc", trained)
    state = create_network(NetworkConfig(architecture="fcn_resnet50", weights="cached"), 3, 4).state_dict()
    for name, tensor in trained.items():
        if not name.startswith("fc."):
            assert torch.equal(state[f"core.backbone.{name}"], tensor)


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18.a1_in1k"])
@pytest.mark.usefixtures("cache")
def test_an_empty_cache_is_said_and_nothing_is_fetched(encoder: str) -> None:
    with pytest.raises(InputError, match=r"local cache holds no pretrained weights for unet .*weights='random'"):
        create_network(NetworkConfig(encoder=encoder, weights="cached"), 3, 2)


def test_networks_without_cached_weights_say_so(cache: Path) -> None:
    config = NetworkConfig(architecture="lraspp_mobilenet_v3_large", weights="cached")
    with pytest.raises(InputError, match="no pretrained weights"):
        create_network(config, 3, 2)


def test_whole_torchvision_network_of_other_classes_from_a_file(tmp_path: Path) -> None:
    trained = torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True
    ).state_dict()
    save_file(trained, tmp_path / "coco.safetensors")
    config = NetworkConfig(
        architecture="deeplabv3_mobilenet_v3_large", weights=str(tmp_path / "coco.safetensors"), input="mixer"
    )
    state = create_network(config, 24, 5).state_dict()
    assert state["core.classifier.4.weight"].shape[0] == 5
    for name in ("classifier.1.weight", "classifier.0.convs.4.2.weight", "backbone.0.0.weight"):
        assert torch.equal(state[f"core.{name}"], trained[name])


def test_three_channel_weights_on_more_channels_ask_for_the_mixer(tmp_path: Path) -> None:
    save_file(smp.encoders.get_encoder("resnet18").state_dict(), tmp_path / "encoder.safetensors")
    config = NetworkConfig(encoder="resnet18", weights=str(tmp_path / "encoder.safetensors"))
    with pytest.raises(InputError, match=r"conv1\.weight of shape \(64, 3, 7, 7\).*input='mixer'"):
        create_network(config, 24, 2)


def test_pickles_are_refused_unread(tmp_path: Path) -> None:
    for name in ("weights.pth", "weights.pt", "weights.ckpt"):
        with pytest.raises(InputError, match="is a pickle"):
            create_network(NetworkConfig(weights=str(tmp_path / name)), 3, 2)


def test_files_that_do_not_serve_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.safetensors: no such file"):
        create_network(NetworkConfig(weights=str(tmp_path / "nothing.safetensors")), 3, 2)
    (tmp_path / "text.safetensors").write_text("no tensors at all")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        create_network(NetworkConfig(weights=str(tmp_path / "text.safetensors")), 3, 2)
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"lacks conv1\.weight.* of another network"):
        create_network(NetworkConfig(weights=str(tmp_path / "other.safetensors")), 3, 2)
    with pytest.raises(InputError, match=r"lacks conv1\.weight.* of another network"):
        create_network(NetworkConfig(encoder="tu-resnet18", weights=str(tmp_path / "other.safetensors")), 3, 2)
