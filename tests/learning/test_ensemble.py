import json

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.learning import Ensemble, NetworkConfig, Scaling, Segmenter, create_network
from beamforge.learning.ensemble import member_folders, save_members
from beamforge.learning.segmenter import ModelDescription
from beamforge.predictor import Predictor
from beamforge.recipes.predictors import load_predictor
from beamforge.stack import Channel, Classes


def segmenter(seed: int, *, halo: int = 3, depth: int = 2, classes=("grain", "boundary")) -> Segmenter:
    config = NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": depth}, weights="random")
    description = ModelDescription(
        network=config,
        channels=(Channel(),),
        classes=Classes(names=classes),
        scaling=Scaling(offset=(0.0,), scale=(1.0,)),
        tile=16,
        provenance={"seed": seed},
        halo=halo,
    )
    return Segmenter(create_network(config, 1, len(classes), seed=seed), description, "cpu")


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(2, 1, 16, 16)).astype(np.float32)


def test_probabilities_are_averaged(image) -> None:
    members = [segmenter(seed) for seed in (1, 2, 3)]
    expected = sum(np.exp(member.log_probabilities(image).astype(np.float64)) for member in members) / 3
    found = Ensemble(members)
    assert isinstance(found, Predictor)
    np.testing.assert_allclose(np.exp(found.log_probabilities(image)), expected, rtol=1e-5)


def test_one_member_says_what_it_says_alone(image) -> None:
    alone = segmenter(1)
    np.testing.assert_allclose(Ensemble([alone]).log_probabilities(image), alone.log_probabilities(image), atol=1e-6)


def test_context_and_stride_suffice_for_every_member() -> None:
    both = Ensemble([segmenter(1, halo=7), segmenter(2, halo=5, depth=3)])
    assert both.halo == 7
    assert both.multiple % both.members[0].multiple == both.multiple % both.members[1].multiple == 0


def test_what_is_saved_is_read_by_whatever_takes_a_model(tmp_path, image) -> None:
    members = [segmenter(1), segmenter(2)]
    save_members(members, tmp_path / "both")
    save_members(members[:1], tmp_path / "one")
    both, one = load_predictor(tmp_path / "both"), load_predictor(tmp_path / "one")
    assert isinstance(both, Ensemble)
    assert isinstance(one, Segmenter)
    np.testing.assert_array_equal(both.log_probabilities(image), Ensemble(members).log_probabilities(image))
    assert member_folders(tmp_path / "both") == [tmp_path / "both" / "1", tmp_path / "both" / "2"]
    assert member_folders(tmp_path / "one") == [tmp_path / "one"]


def test_networks_that_do_not_go_together_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="without a member"):
        Ensemble([])
    with pytest.raises(InputError, match="does not go together"):
        Ensemble([segmenter(1), segmenter(2, classes=("air", "water", "quartz"))])
    (tmp_path / "ensemble.json").write_text(json.dumps({"networks": ["1"]}))
    with pytest.raises(InputError, match=r"ensemble\.json"):
        Ensemble.load(tmp_path)


@pytest.mark.parametrize("name", ["../other", "/etc", ".", "", "a/b", "a\n"])
def test_members_outside_the_folder_are_refused(tmp_path, name) -> None:
    segmenter(1).save(tmp_path / "other")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "ensemble.json").write_text(json.dumps({"members": [name]}))
    with pytest.raises(InputError, match=r"ensemble\.json: .*pattern"):
        Ensemble.load(tmp_path / "model")


def test_a_missing_member_is_named(tmp_path) -> None:
    (tmp_path / "ensemble.json").write_text(json.dumps({"members": ["1"]}))
    with pytest.raises(InputError, match=str(tmp_path / "1")):
        Ensemble.load(tmp_path)
