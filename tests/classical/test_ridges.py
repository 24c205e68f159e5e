import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.classical.ridges import RidgeClassifier, RidgeFilter, keep_large, tuned_ridges
from beamforge.errors import InputError
from beamforge.predictor import Predictor

SATO = RidgeFilter(kind="sato", sigmas=(1.0, 2.0))


def dark_line(seed: int = 1, depth: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """A dark line 3 px wide on a slope with noise, and a bright one that is none."""
    rows, columns = np.mgrid[:80, :90]
    labels = (np.abs(rows - 20 - 0.4 * columns) < 2).astype(np.uint8)
    slope = 100.0 + 0.5 * columns
    image = slope - depth * labels + depth * (np.abs(columns - 70) < 2) + default_rng(seed).normal(0, 2, rows.shape)
    return image.astype(np.float32), labels


def overlap(predicted: np.ndarray, truth: np.ndarray) -> float:
    return 2 * (predicted & truth).sum() / max(1, predicted.sum() + truth.sum())


@pytest.mark.parametrize("kind", ["sato", "frangi"])
def test_dark_lines_answer_and_bright_ones_do_not(kind: str) -> None:
    image, labels = dark_line()
    response = RidgeFilter(kind=kind, sigmas=(1.5,)).response(gaussian_filter(image, 1))
    bright = (np.abs(np.mgrid[:80, :90][1] - 70) < 2) & (labels == 0)
    assert response[labels == 1].mean() > 5 * response[bright].mean()


def test_background_is_the_local_mean() -> None:
    image, _ = dark_line()
    response = RidgeFilter(kind="background", sigmas=(6.0,)).response(image)
    np.testing.assert_allclose(response, gaussian_filter(image, 6.0, mode="nearest") - image)


def test_it_is_a_predictor_that_finds_the_line() -> None:
    image, labels = dark_line()
    classifier = RidgeClassifier(filter=SATO, threshold=6.0, least_size=40)
    assert isinstance(classifier, Predictor)
    found = classifier.log_probabilities(image[None, None])
    assert found.shape == (1, 2, 80, 90)
    np.testing.assert_allclose(np.exp(found.astype(float)).sum(axis=1), 1.0, atol=1e-6)
    assert overlap(found[0].argmax(axis=0) == 1, labels == 1) > 0.75


def test_otsu_splits_where_the_variance_between_the_parts_is_largest() -> None:
    image, _ = dark_line()
    response = SATO.response(image).ravel().astype(float)

    def between(mask: np.ndarray) -> float:
        share = mask.mean()
        return share * (1 - share) * (response[mask].mean() - response[~mask].mean()) ** 2

    best = max(between(response > level) for level in np.linspace(0.1, 0.95 * response.max(), 400))
    found = RidgeClassifier(filter=SATO, threshold="otsu").mask(image).ravel()
    assert between(found) > 0.999 * best


def test_invalid_pixels_do_not_spread() -> None:
    image, labels = dark_line()
    image[3, 4] = np.nan
    found = RidgeClassifier(filter=SATO, threshold=6.0, least_size=40).log_probabilities(image[None, None])
    assert np.isfinite(found).all()
    assert overlap(found[0].argmax(axis=0) == 1, labels == 1) > 0.75


def test_small_pieces_are_dropped_and_corners_hold_together() -> None:
    mask = np.zeros((10, 10), bool)
    mask[np.arange(5), np.arange(5)] = mask[8, 8] = True
    assert keep_large(mask, 5).sum() == 5
    assert keep_large(mask, 6).sum() == 0
    assert keep_large(mask, 0).sum() == 6


def test_tuning_takes_the_best_of_what_it_tries() -> None:
    image, labels = dark_line(1)
    wide = RidgeFilter(kind="sato", sigmas=(8.0,))
    chosen = tuned_ridges([wide, SATO], [(image[None], labels)], 1, overlap)
    assert chosen.filter == SATO
    fresh, truth = dark_line(2)
    assert overlap(chosen.mask(fresh), truth == 1) > 0.7


def test_tuning_without_the_class_or_without_filters_is_refused() -> None:
    image, labels = dark_line()
    with pytest.raises(InputError, match="none of the 1 samples holds the class 2"):
        tuned_ridges([SATO], [(image, labels)], 2, overlap)
    with pytest.raises(InputError, match="no ridge filter"):
        tuned_ridges([], [(image, labels)], 1, overlap)
    with pytest.raises(ValueError, match="background takes one"):
        RidgeFilter(kind="background", sigmas=(1.0, 2.0))
