"""Pixel classifiers: the predictor's contract for each method, closed-form errors, scribbles, textures, files."""

import json

import dask.array as da
import numpy as np
import pytest
from numpy.random import default_rng
from scipy.special import ndtr
from skimage.filters import threshold_otsu

from beamforge.classical import Classifier
from beamforge.classical.pixels import ALL_METHODS, METHODS, Filters, PixelClassifier, Threshold, train_classifier
from beamforge.errors import InputError
from beamforge.stack import Channel, as_labels, as_stack
from contracts.predictor import PredictorContract

NAMES = ("air", "water", "glass")
SMALL = Filters(sigmas_px=(1.0,), kinds=("gaussian", "structure"))
VALUES = Filters(kinds=())


def measurement(size: int = 72, seed: int = 0, noise: float = 0.3):
    rng = default_rng(seed)
    truth = rng.integers(0, 3, (size // 12, size // 12)).repeat(12, 0).repeat(12, 1).astype(np.uint8)
    image = np.stack([0.5 * truth + 0.5, 1.5 - 0.4 * truth]) + rng.normal(0, noise, (2, size, size))
    return as_stack(image.astype(np.float32), [Channel(mode="H0"), Channel(mode="H1")]), as_labels(truth, NAMES)


STACK, LABELS = measurement()


class TestPixelsContract(PredictorContract):
    examples = [
        PixelClassifier.fit(STACK, LABELS, method, default_rng(1), filters=SMALL, pixels_per_class=60)
        for method in METHODS
    ]


@pytest.mark.parametrize("method", sorted(ALL_METHODS))
def test_every_method_learns_from_scribbles(method: str) -> None:
    scribbles = LABELS.copy(data=np.full_like(LABELS.values, 255))
    scribbles[6::12, 2:70] = LABELS[6::12, 2:70]
    classifier = train_classifier(STACK, scribbles, method, default_rng(0), filters=SMALL)
    other, truth = measurement(seed=1)
    accuracy = (classifier.log_probabilities(other.values[None])[0].argmax(axis=0) == truth.values).mean()
    # Thresholds that make two parts of three classes cannot do better than two thirds.
    assert accuracy > (0.5 if method in ("otsu", "two_peak") else 0.75)


@pytest.mark.parametrize("method", ["lda", "qda", "multi_otsu"])
def test_error_of_two_gaussians_is_that_of_the_closed_form(method: str) -> None:
    # Equal covariances at distance d = 2: no rule errs less than Phi(-1).
    rng = default_rng(3)
    truth = np.repeat([0, 1], 200 * 400).reshape(400, 400).astype(np.uint8)
    stack = as_stack((rng.normal(size=(1, 400, 400)) + 2.0 * truth).astype(np.float32))
    found = PixelClassifier.fit(stack, as_labels(truth), method, rng, filters=VALUES, pixels_per_class=20000)
    error = (found.log_probabilities(stack.values[None])[0].argmax(axis=0) != truth).mean()
    assert error == pytest.approx(ndtr(-1.0), abs=0.004)


def test_textures_of_equal_values_are_told_apart() -> None:
    rng = default_rng(0)
    truth = np.zeros((96, 96), np.uint8)
    truth[:, 48:] = 1
    y = np.indices(truth.shape)[0]
    image = np.where(truth == 0, np.sin(2 * np.pi * y / 6), np.sin(2 * np.pi * y / 24)) + rng.normal(0, 0.1, y.shape)
    stack, labels = as_stack(image.astype(np.float32)), as_labels(truth)
    by_value = PixelClassifier.fit(stack, labels, "lda", default_rng(0), filters=VALUES)
    by_texture = PixelClassifier.fit(stack, labels, "lda", default_rng(0))

    def accuracy(classifier) -> float:
        return float((classifier.log_probabilities(stack.values[None])[0].argmax(axis=0) == truth).mean())

    assert accuracy(by_value) < 0.6
    assert accuracy(by_texture) > 0.97


def test_tiles_and_lazy_stacks_give_the_features_of_the_whole(monkeypatch) -> None:
    from beamforge.classical.pixels import classifier as module

    whole = PixelClassifier.fit(STACK, LABELS, "lda", default_rng(0))
    monkeypatch.setattr(module, "_TILE", 20)
    lazy = as_stack(da.from_array(STACK.values, chunks=(1, 30, 72)), [Channel(mode="H0"), Channel(mode="H1")])
    tiled = PixelClassifier.fit(lazy, LABELS, "lda", default_rng(0))
    np.testing.assert_array_equal(tiled.model.features, whole.model.features)
    direct = Filters()(STACK.values)
    rows = {tuple(row) for row in np.round(direct.reshape(len(direct), -1).T, 5)}
    assert all(tuple(row) in rows for row in np.round(whole.model.features[::50], 5))


def test_otsu_is_scikit_images_on_the_feature_that_tells_most() -> None:
    rng = default_rng(0)
    labels = np.repeat([0, 1], 500)
    features = np.stack([rng.normal(size=1000), rng.normal(size=1000) + 6 * labels], axis=1).astype(np.float32)
    found = Threshold("otsu").fit(features, labels)
    assert found.feature == 1
    assert found.cuts == pytest.approx([threshold_otsu(features[:, 1])])
    with pytest.raises(InputError, match="'two_peak' can cut"):
        Threshold("two_peak").fit(np.ones((50, 3), np.float32), np.arange(50) % 2)


def test_the_file_holds_pixels_and_no_code(tmp_path) -> None:
    fitted = PixelClassifier.fit(STACK, LABELS, "random_forest", default_rng(0), filters=SMALL, pixels_per_class=50)
    fitted.save(tmp_path / "forest.json")
    again = Classifier.load(tmp_path / "forest.json")
    assert isinstance(again, PixelClassifier)
    np.testing.assert_array_equal(again.model.features, fitted.model.features)
    content = json.loads((tmp_path / "forest.json").read_text())
    for broken in ({"shape": [3]}, {"shape": [150, 8], "zlib_base64": "AAAA"}, {"shape": [1, 1], "zlib_base64": "%"}):
        content["model"]["features"] = broken
        (tmp_path / "broken.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=r"broken\.json"):
            Classifier.load(tmp_path / "broken.json")


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'random_forest'"):
        train_classifier(STACK, LABELS, "randomforest", default_rng(0))
    few = LABELS.copy(data=np.where(LABELS == 1, 255, LABELS).astype(np.uint8))
    few[5, 5:8] = 1
    with pytest.raises(InputError, match="class 'water' has 3 labelled pixels"):
        train_classifier(STACK, few, "lda", default_rng(0))
    with pytest.raises(InputError, match="36×72"):
        train_classifier(STACK[:, :36], LABELS, "lda", default_rng(0))
    dead = STACK.copy(data=STACK.values * np.array([1, np.nan], np.float32)[:, None, None])
    with pytest.raises(InputError, match="channel H1 is finite at no labelled pixel"):
        train_classifier(dead, LABELS, "lda", default_rng(0))
