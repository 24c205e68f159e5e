import json

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from beamforge.classical import Classifier, GaussianClassifier, MeanField, classifier_class, classifier_names
from beamforge.classical.classifier import LEAST_LOG_PROBABILITY
from beamforge.classical.gaussian import smoothed
from beamforge.errors import InputError
from beamforge.evaluation import evaluate_image
from beamforge.stack import Channel, as_labels, as_stack
from contracts.predictor import PredictorContract

NAMES = ("air", "water", "glass")


def measurement(channels: int = 3, size: int = 60, seed: int = 0):
    """A stack whose classes are correlated Gaussians, and its labels."""
    rng = default_rng(seed)
    labels = rng.integers(0, 3, (size // 10, size // 10)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    image = np.empty((channels, size, size), np.float32)
    for number in range(3):
        mixing = 0.3 * rng.normal(size=(channels, channels)) + 0.4 * np.eye(channels)
        inside = labels == number
        noise = mixing @ rng.normal(size=(channels, inside.sum()))
        image[:, inside] = rng.normal(1, 0.5, channels)[:, None] + noise
    labels[:4, :7] = 255
    modes = [Channel(mode="H0", autocorrelation_length=100.0 * i) for i in range(channels)]
    return as_stack(image, modes), as_labels(labels, NAMES)


STACK, LABELS = measurement()
PLAIN = GaussianClassifier.fit(STACK, LABELS)


class TestGaussianContract(PredictorContract):
    examples = [
        PLAIN,
        GaussianClassifier.fit(STACK, LABELS, smoothing_sigma=1.2),
        GaussianClassifier.fit(STACK, LABELS, prior=(0.2, 0.3, 0.5), smoothing=MeanField(iterations=2, sigma_px=1.0)),
    ]


def test_posteriors_are_those_of_scikit_learns_qda() -> None:
    peer = QuadraticDiscriminantAnalysis(priors=[0.2, 0.3, 0.5], store_covariance=True)
    counted = LABELS.values != 255
    peer.fit(STACK.values[:, counted].T.astype(np.float64), LABELS.values[counted])
    ours = GaussianClassifier.fit(STACK, LABELS, prior=(0.2, 0.3, 0.5))
    np.testing.assert_allclose(ours.model.means, peer.means_, rtol=1e-6)
    counts = np.array(ours.model.pixel_counts)
    np.testing.assert_array_equal(counts, np.bincount(LABELS.values[counted]))
    # The peer divides by n where we divide by n - 1; with its own covariances nothing but float32 is left.
    its_own = np.stack(peer.covariance_)
    np.testing.assert_allclose(ours.model.covariances * ((counts - 1) / counts)[:, None, None], its_own, rtol=1e-6)
    same = ours.model_copy(update={"model": ours.model.model_copy(update={"covariances": its_own})})
    expected = peer.predict_log_proba(STACK.values.reshape(3, -1).T.astype(np.float64))
    found = same.log_probabilities(STACK.values[None])[0].reshape(3, -1).T
    np.testing.assert_allclose(found, np.maximum(expected, LEAST_LOG_PROBABILITY), atol=1e-4, rtol=1e-5)


def test_missing_channels_are_integrated_out() -> None:
    image = STACK.values.copy()
    image[0, 3, 3] = np.nan
    image[1:, 5, 5] = np.inf
    image[:, 7, 7] = np.nan
    found = PLAIN.log_likelihoods(image)
    for (y, x), present in (((3, 3), [1, 2]), ((5, 5), [0]), ((9, 9), [0, 1, 2])):
        for number in range(3):
            law = multivariate_normal(
                PLAIN.model.means[number][present], PLAIN.model.covariances[number][np.ix_(present, present)]
            )
            assert found[number, y, x] == pytest.approx(law.logpdf(image[present, y, x]), rel=1e-10)
    np.testing.assert_array_equal(found[:, 7, 7], 0)


def test_error_of_two_classes_is_that_of_the_closed_form() -> None:
    # Two Gaussians of equal covariance at Mahalanobis distance d: the error of the best rule is Phi(-d/2).
    rng = default_rng(4)
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    shift = np.array([1.0, -0.8])
    distance = float(np.sqrt(shift @ np.linalg.solve(covariance, shift)))
    truth = np.repeat([0, 1], 300 * 600).reshape(600, 600).astype(np.uint8)
    image = (np.linalg.cholesky(covariance) @ rng.normal(size=(2, truth.size))).reshape(2, 600, 600)
    image += shift[:, None, None] * truth
    stack, labels = as_stack(image.astype(np.float32)), as_labels(truth)
    error = 1 - evaluate_image(GaussianClassifier.fit(stack, labels), stack, labels).pixel_accuracy.value
    expected = ndtr(-distance / 2)
    assert error == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / truth.size))


def test_filter_leaves_pixels_that_are_not_finite_out() -> None:
    image = STACK.values
    sharp = gaussian_filter(image[0].astype(np.float64), 1.5, mode="nearest")
    np.testing.assert_allclose(smoothed(image, 1.5)[0], sharp, atol=1e-5)
    holed = np.full((1, 20, 20), 3.0, np.float32)
    holed[0, 8:10, 8:10] = np.nan
    np.testing.assert_allclose(smoothed(holed, 1.5), 3.0, rtol=1e-6)
    assert smoothed(image, 0.0) is image


def test_any_classifier_is_loaded_by_its_name(tmp_path) -> None:
    PLAIN.save(tmp_path / "it.json")
    assert isinstance(Classifier.load(tmp_path / "it.json"), GaussianClassifier)
    (tmp_path / "other.json").write_text('{"classifier": "gausian"}')
    with pytest.raises(InputError, match="did you mean 'gaussian'"):
        Classifier.load(tmp_path / "other.json")
    (tmp_path / "broken.json").write_text('{"classifier": "gaussian", "model": {}}')
    with pytest.raises(InputError, match=r"broken.json.*model\.classes"):
        Classifier.load(tmp_path / "broken.json")


def test_what_cannot_be_fitted_is_named() -> None:
    few = LABELS.copy(data=np.where(LABELS == 1, 255, LABELS).astype(np.uint8))
    few[50, 50:53] = 1
    with pytest.raises(InputError, match="class 'water' has 3 usable pixels"):
        GaussianClassifier.fit(STACK, few)
    constant = STACK.copy(data=np.where(np.arange(3)[:, None, None] == 1, 2.0, STACK).astype(np.float32))
    with pytest.raises(InputError, match="constant in H0 100 nm"):
        GaussianClassifier.fit(constant, LABELS)
    twice = STACK.copy(data=STACK.values[[0, 1, 0]])
    with pytest.raises(InputError, match="not independent"):
        GaussianClassifier.fit(twice, LABELS)
    with pytest.raises(ValueError, match="in sum 1"):
        GaussianClassifier.fit(STACK, LABELS, prior=(0.5, 0.5, 0.5))
    with pytest.raises(InputError, match="2 numbers for 3 classes"):
        GaussianClassifier.fit(STACK, LABELS, prior=(0.5, 0.5)).log_likelihoods(STACK.values)
    with pytest.raises(InputError, match="with 3 channels"):
        PLAIN.log_likelihoods(STACK.values[:2])


def test_every_classifier_is_found_by_its_name() -> None:
    assert {"analytic", "gaussian"} <= set(classifier_names())
    for name in classifier_names():
        assert classifier_class(name).classifier_name == name


@pytest.mark.parametrize(
    "change", [{"covariances": [[[0.0]], [[1.0]]]}, {"covariances": [[[1.0]]]}, {"means": [[float("nan")], [0.0]]}]
)
def test_a_file_of_impossible_gaussians_is_refused(change, tmp_path) -> None:
    model = {
        "classes": {"names": ["a", "b"]},
        "channels": [{"mode": "intensity"}],
        "means": [[0.0], [1.0]],
        "covariances": [[[1.0]], [[1.0]]],
        "pixel_counts": [9, 9],
    }
    (tmp_path / "sound.json").write_text(json.dumps({"classifier": "gaussian", "model": model}))
    assert len(Classifier.load(tmp_path / "sound.json").classes) == 2
    (tmp_path / "crafted.json").write_text(json.dumps({"classifier": "gaussian", "model": model | change}))
    with pytest.raises(InputError, match="does not hold a 'gaussian' classifier"):
        Classifier.load(tmp_path / "crafted.json")
