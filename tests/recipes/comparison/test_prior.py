"""What each class has to weigh for the highest mean IoU."""

import itertools

import numpy as np
from numpy.random import default_rng

from beamforge.evaluation import confusion
from beamforge.evaluation.overlap import mean_iou
from beamforge.recipes.comparison.prior import best_factors


def noisy(shares: list[float], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of unequal classes, and what a predictor says who thinks them equal: one Gaussian of each, all alike."""
    rng = default_rng(seed)
    labels = rng.choice(len(shares), count, p=shares).astype(np.uint8)
    values = labels + rng.normal(0, 0.5, count)
    densities = -((values - np.arange(len(shares))[:, None]) ** 2) / (2 * 0.5**2)
    return (densities - np.log(np.exp(densities).sum(axis=0))).astype(np.float32), labels


def score(logarithms: np.ndarray, labels: np.ndarray, factors: tuple[float, ...]) -> float:
    guess = (logarithms + np.log(factors)[:, None]).argmax(axis=0)
    return float(mean_iou(confusion(labels, guess.astype(np.uint8), len(factors))))


def test_no_other_power_of_two_does_better_for_two_classes() -> None:
    logarithms, labels = noisy([0.97, 0.03], 20_000, 1)
    found = best_factors(logarithms, labels)
    assert abs(sum(found) - 1) < 1e-12
    assert found[0] > 2 * found[1]
    every = [score(logarithms, labels, (1.0, 2.0**power)) for power in range(-6, 7)]
    assert score(logarithms, labels, found) == max(every)


def test_for_three_classes_it_is_near_the_best_of_all() -> None:
    logarithms, labels = noisy([0.8, 0.19, 0.01], 20_000, 2)
    found = score(logarithms, labels, best_factors(logarithms, labels))
    powers = 2.0 ** np.arange(-5, 6)
    best = max(score(logarithms, labels, (1.0, a, b)) for a, b in itertools.product(powers, powers))
    assert score(logarithms, labels, (1.0, 1.0, 1.0)) < best - 0.05
    assert found > best - 0.01


def test_what_is_right_already_is_left_as_it_is() -> None:
    labels = np.repeat(np.arange(3, dtype=np.uint8), 50)
    sure = np.log(np.where(np.arange(3)[:, None] == labels, 0.98, 0.01)).astype(np.float32)
    np.testing.assert_allclose(best_factors(sure, labels), [1 / 3] * 3)
