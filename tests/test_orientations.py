import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.orientations import OrientationAverage
from beamforge.predictor import Predictor
from contracts.predictors_for_tests import Conv, Nearest


def test_is_a_predictor_like_the_one_inside() -> None:
    averaged = OrientationAverage(Conv())
    assert isinstance(averaged, Predictor)
    for name in ("channels", "classes", "halo", "multiple"):
        assert getattr(averaged, name) == getattr(Conv(), name)


def images(channels, seed=1):
    return default_rng(seed).normal(1.0, 0.6, (2, channels, 24, 32)).astype(np.float32)


def test_a_predictor_without_direction_says_the_same() -> None:
    given = images(1)
    expected = Nearest().log_probabilities(given)
    np.testing.assert_allclose(OrientationAverage(Nearest()).log_probabilities(given), expected, atol=1e-5)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_turning_or_mirroring_the_image_turns_or_mirrors_the_answer(turn) -> None:
    averaged, given = OrientationAverage(Conv()), images(2)
    answer = averaged.log_probabilities(given)
    turned = averaged.log_probabilities(np.ascontiguousarray(np.rot90(given, turn, axes=(2, 3))))
    np.testing.assert_allclose(turned, np.rot90(answer, turn, axes=(2, 3)), atol=1e-4)
    mirrored = averaged.log_probabilities(np.ascontiguousarray(given[..., ::-1]))
    np.testing.assert_allclose(mirrored, answer[..., ::-1], atol=1e-4)


def test_probabilities_are_averaged() -> None:
    given = images(2)
    first = np.exp(Conv().log_probabilities(given)).astype(np.float64)
    total = np.zeros_like(first)
    for flip in (False, True):
        for turn in range(4):
            seen = np.rot90(given[..., ::-1] if flip else given, turn, axes=(2, 3))
            said = np.exp(Conv().log_probabilities(np.ascontiguousarray(seen)))
            back = np.rot90(said, -turn, axes=(2, 3))
            total += back[..., ::-1] if flip else back
    np.testing.assert_allclose(np.exp(OrientationAverage(Conv()).log_probabilities(given)), total / 8, atol=1e-5)
