import numpy as np
import pytest
import torch

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, Scaling, Segmenter, create_network
from beamforge.learning.interpolation import between
from beamforge.learning.segmenter import ModelDescription
from beamforge.stack import Channel, Classes


def segmenter(seed: int, *, halo: int = 3, width: int = 4) -> Segmenter:
    config = NetworkConfig(architecture="attention_unet", options={"width": width, "depth": 2}, weights="random")
    description = ModelDescription(
        network=config,
        channels=(Channel(),),
        classes=Classes(names=("grain", "boundary")),
        scaling=Scaling(offset=(0.0,), scale=(1.0,)),
        tile=16,
        provenance={"seed": seed},
        halo=halo,
    )
    return Segmenter(create_network(config, 1, 2, seed=seed), description, "cpu")


def test_weights_lie_on_the_line_and_the_ends_are_the_networks() -> None:
    before, after = segmenter(1), segmenter(2, halo=5)
    image = np.random.default_rng(0).normal(size=(1, 1, 16, 16)).astype(np.float32)
    for share, end in ((0.0, before), (1.0, after)):
        found = between(before, after, share).log_probabilities(image)
        np.testing.assert_allclose(found, end.log_probabilities(image), rtol=1e-4, atol=1e-5)
    states = [one.network.state_dict() for one in (before, after, between(before, after, 0.25))]
    for name, first in states[0].items():
        if first.is_floating_point():
            torch.testing.assert_close(states[2][name], 0.75 * first + 0.25 * states[1][name])


def test_the_rest_is_the_fine_tuned_ones() -> None:
    before, after = segmenter(1), segmenter(2, halo=5)
    kept = after.network.state_dict()["core.head.weight"].clone()
    mixed = between(before, after, 0.5)
    assert mixed.description.provenance == {"seed": 2, "share_of_fine_tuned_weights": 0.5}
    assert mixed.halo == 5
    assert torch.equal(after.network.state_dict()["core.head.weight"], kept)


def test_what_cannot_be_mixed_is_refused() -> None:
    with pytest.raises(InputError, match="differ"):
        between(segmenter(1), segmenter(1, width=8), 0.5)
    with pytest.raises(InputError, match="from 0 to 1"):
        between(segmenter(1), segmenter(2), 1.5)
