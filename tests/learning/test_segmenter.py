import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning import NetworkConfig, Scaling, Segmenter, create_network
from beamforge.learning.segmenter import ModelDescription
from beamforge.stack import Channel, Classes

CONFIG = NetworkConfig(encoder="resnet18", options={"encoder_depth": 3, "decoder_channels": [8, 8, 8]})


@pytest.fixture
def segmenter() -> Segmenter:
    description = ModelDescription(
        network=CONFIG,
        channels=(Channel(mode="H0", autocorrelation_length=120.5), Channel(mode="DF", autocorrelation_length=0.1)),
        classes=Classes(names=("quartz", "D₂O"), colours=("#102030", "#405060")),
        scaling=Scaling(offset=np.array([30000.0, 0.1]), scale=np.array([1 / 3, 1e-4])),
        tile=64,
        halo=12,
        provenance={"seed": 4, "simulated": True},
    )
    return Segmenter(create_network(CONFIG, 2, 2), description, "cpu")


def images(seed: int = 1) -> np.ndarray:
    noise = default_rng(seed).normal(size=(2, 2, 40, 48))
    return (noise * [[[[0.3]], [[1e-4]]]] + [[[[30000.0]], [[0.1]]]]).astype(np.float32)


def test_everything_survives_the_folder(segmenter: Segmenter, tmp_path: Path) -> None:
    segmenter.save(tmp_path / "model")
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == ["model.json", "model.safetensors"]
    again = Segmenter.load(tmp_path / "model", "cpu")
    assert again.channels == segmenter.channels
    assert again.classes == segmenter.classes
    assert (again.tile, again.halo, again.multiple) == (64, 12, 8)
    assert again.description.provenance == {"seed": 4, "simulated": True}
    assert again.log_probabilities(images()).tobytes() == segmenter.log_probabilities(images()).tobytes()


def test_scaling_is_part_of_the_model(segmenter: Segmenter) -> None:
    description = segmenter.description
    scaled = (images().astype(np.float64) - [[[[30000.0]], [[0.1]]]]) / [[[[1 / 3]], [[1e-4]]]]
    plain = description.model_copy(update={"scaling": Scaling(offset=np.zeros(2), scale=np.ones(2))})
    expected = Segmenter(segmenter.network, plain, "cpu").log_probabilities(scaled.astype(np.float32))
    np.testing.assert_allclose(segmenter.log_probabilities(images()), expected, atol=0.05)


def test_a_prior_weighs_the_probabilities_and_is_kept(segmenter: Segmenter, tmp_path: Path) -> None:
    segmenter.with_prior((0.2, 0.8)).save(tmp_path / "model")
    weighted = np.exp(segmenter.log_probabilities(images())) * [[[[0.2]], [[0.8]]]]
    expected = weighted / weighted.sum(axis=1, keepdims=True)
    found = Segmenter.load(tmp_path / "model", "cpu").log_probabilities(images())
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="prior of 3 numbers for 2 classes"):
        segmenter.with_prior((0.2, 0.3, 0.5))


def test_an_invalid_pixel_is_the_channels_centre_and_spoils_nothing(segmenter: Segmenter) -> None:
    spoilt, centred = images(), images()
    spoilt[0, 1, 5, 6] = np.nan
    centred[0, 1, 5, 6] = 0.1
    first, second = segmenter.log_probabilities(spoilt), segmenter.log_probabilities(centred)
    assert np.isfinite(first).all()
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_images_of_a_batch_do_not_influence_each_other(segmenter: Segmenter) -> None:
    both = segmenter.log_probabilities(images())
    alone = np.concatenate([segmenter.log_probabilities(image[None]) for image in images()])
    np.testing.assert_allclose(both, alone, atol=1e-4)


def test_wrong_channels_are_refused(segmenter: Segmenter) -> None:
    with pytest.raises(InputError, match=r"\(2, 1, 40, 48\), expected \(batch, 2, y, x\)"):
        segmenter.log_probabilities(images()[:, :1])


def test_what_is_missing_is_named(segmenter: Segmenter, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.json: no such file"):
        Segmenter.load(tmp_path)
    segmenter.save(tmp_path / "model")
    file = tmp_path / "model" / "model.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in content.items() if key != "scaling"}))
    with pytest.raises(InputError, match=r"model\.json: scaling: Field required"):
        Segmenter.load(tmp_path / "model")
    file.write_text(json.dumps(content | {"classes": {"names": ["a", "b", "c"]}}))
    with pytest.raises(InputError, match=r"segmentation_head.*of shape \(2, .*the network \(3, "):
        Segmenter.load(tmp_path / "model")
    file.write_text(json.dumps(content))
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors: no such file"):
        Segmenter.load(tmp_path / "model")


def test_scaling_and_channels_must_agree(segmenter: Segmenter) -> None:
    content = segmenter.description.model_dump(mode="json")
    content["channels"] = content["channels"][:1]
    with pytest.raises(ValueError, match="scaling of 2 channels for 1"):
        ModelDescription.model_validate(content)
