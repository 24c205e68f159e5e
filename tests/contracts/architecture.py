"""What every architecture must do; a test file for one inherits `ArchitectureContract` and names small examples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from safetensors.torch import save_file

from beamforge.learning import Network, NetworkConfig, Scaling, Segmenter, create_network
from beamforge.learning.architectures import ARCHITECTURES
from beamforge.learning.losses.cross_entropy import cross_entropy
from beamforge.learning.segmenter import ModelDescription
from beamforge.stack import Channel, Classes


def segmenter(config: NetworkConfig, network: Network, channels: int, classes: int) -> Segmenter:
    """A segmenter of a network as it is, with a scaling that changes nothing."""
    description = ModelDescription(
        network=config,
        channels=tuple(Channel(z=float(number)) for number in range(channels)),
        classes=Classes.numbered(classes),
        scaling=Scaling(offset=np.zeros(channels), scale=np.ones(channels)),
        tile=64,
        halo=16,
        provenance={},
    )
    return Segmenter(network, description, "cpu")


def images(batch: int, channels: int, height: int = 64, width: int = 64, seed: int = 3) -> torch.Tensor:
    return torch.from_numpy(default_rng(seed).normal(size=(batch, channels, height, width)).astype(np.float32))


class ArchitectureContract:
    """Inherit and set `examples` to configs that are as small as the architecture allows."""

    examples: ClassVar[list[NetworkConfig]] = []

    def test_is_registered_under_its_name(self, example: NetworkConfig) -> None:
        assert example.architecture in ARCHITECTURES.names()
        assert example.build_architecture().architecture_name == example.architecture

    @pytest.mark.parametrize(("channels", "classes", "way"), [(1, 2, "direct"), (3, 12, "direct"), (8, 3, "mixer")])
    def test_trains_on_any_channels_and_classes_one_image_at_a_time(
        self, example: NetworkConfig, channels: int, classes: int, way: str
    ) -> None:
        network = create_network(example.model_copy(update={"input": way}), channels, classes).train()
        logits = network(images(1, channels))
        assert logits.shape == (1, classes, 64, 64)
        labels = torch.from_numpy(default_rng(1).integers(0, classes, (1, 64, 64)))
        cross_entropy(logits, labels).backward()
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        assert all(gradient.isfinite().all() for gradient in gradients)
        first = next(network.parameters()).grad
        assert first is not None
        assert first.abs().sum() > 0

    def test_same_seed_same_weights_and_the_global_stream_stays(self, example: NetworkConfig) -> None:
        state = torch.get_rng_state()
        first, again, other = (create_network(example, 2, 3, seed=seed).state_dict() for seed in (5, 5, 6))
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert any(not torch.equal(first[name], other[name]) for name in first)

    def test_applied_to_odd_sizes_and_saved_and_loaded(self, example: NetworkConfig, tmp_path) -> None:
        made = segmenter(example, create_network(example, 2, 3, seed=1), 2, 3)
        odd = images(1, 2, 75, 67).numpy()
        first = made.log_probabilities(odd)
        assert first.shape == (1, 3, 75, 67)
        assert first.dtype == np.float32
        np.testing.assert_allclose(np.exp(first.astype(np.float64)).sum(axis=1), 1, rtol=1e-5)
        assert first.tobytes() == made.log_probabilities(odd).tobytes()
        made.save(tmp_path / "model")
        assert Segmenter.load(tmp_path / "model", "cpu").log_probabilities(odd).tobytes() == first.tobytes()

    def test_at_lower_resolution_it_sees_and_gives_blocks_of_pixels(self, example: NetworkConfig, tmp_path) -> None:
        shrunk = example.model_copy(update={"shrink": 2})
        made = segmenter(shrunk, create_network(shrunk, 2, 3, seed=6), 2, 3)
        network = made.network
        assert network.multiple == 2 * example.build_architecture().multiple(network.core)
        height, width = (-(-side // network.multiple) * network.multiple for side in (75, 67))
        odd = images(1, 2, 75, 67)
        blocks = np.pad(odd.numpy(), ((0, 0), (0, 0), (0, height - 75), (0, width - 67)), mode="edge")
        blocks = blocks.reshape(2, height // 2, 2, width // 2, 2).transpose(0, 2, 4, 1, 3)
        with torch.inference_mode():
            core = network.core(torch.from_numpy(blocks.reshape(1, 8, height // 2, width // 2)))
            logits = network(odd).numpy()
        given = (core["out"] if isinstance(core, dict) else core).numpy().reshape(3, 2, 2, height // 2, width // 2)
        expected = given.transpose(0, 3, 1, 4, 2).reshape(3, height, width)[:, :75, :67]
        np.testing.assert_allclose(logits[0], expected, rtol=1e-4, atol=1e-5)
        made.save(tmp_path / "model")
        again = Segmenter.load(tmp_path / "model", "cpu")
        assert again.log_probabilities(odd.numpy()).tobytes() == made.log_probabilities(odd.numpy()).tobytes()

    def test_padding_is_continued_border(self, example: NetworkConfig) -> None:
        network = create_network(example, 1, 2).eval()
        multiple = network.multiple
        height, width = 3 * multiple - multiple // 2, 3 * multiple - multiple // 4
        below, right = -height % multiple, -width % multiple
        image = images(1, 1, height, width)
        whole = torch.from_numpy(np.pad(image.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="edge"))
        with torch.inference_mode():
            assert torch.equal(network(image), network(whole)[..., :height, :width])

    def test_takes_weights_of_a_file_but_not_the_head_of_other_classes(self, example: NetworkConfig, tmp_path) -> None:
        trained = create_network(example, 3, 5, seed=8)
        save_file(trained.state_dict(), tmp_path / "weights.safetensors")
        config = example.model_copy(update={"weights": str(tmp_path / "weights.safetensors")})
        same = create_network(config, 3, 5, seed=9)
        for name, tensor in trained.state_dict().items():
            assert torch.equal(same.state_dict()[name], tensor)
        other = create_network(config, 3, 4, seed=9).state_dict()
        head = tuple(f"core.{part}" for part in example.build_architecture().head)
        for name, tensor in trained.state_dict().items():
            if tensor.shape == other[name].shape and not name.startswith(head):
                assert torch.equal(other[name], tensor)
            else:
                assert name.startswith(head)
                assert tensor.shape[0] == 5

    def test_an_unknown_option_is_refused_by_name(self, example: NetworkConfig) -> None:
        with pytest.raises(ValueError, match="no_such_option"):
            NetworkConfig(architecture=example.architecture, options={"no_such_option": 1})
