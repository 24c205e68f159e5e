from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter, label

from beamforge.classical.diffraction import LaplacianSpots, tune, tune_curve, unbeaten
from beamforge.classical.diffraction.classifier import LaplacianClassifier
from beamforge.classical.diffraction.laplacian import without_small
from beamforge.errors import InputError
from contracts.predictor import PredictorContract


def image(places: list[tuple[int, int]], amplitude: float, noise: float, seed: int = 0) -> np.ndarray:
    blank = np.zeros((120, 120))
    for place in places:
        blank[place] = 1.0
    spots = gaussian_filter(blank, 2.5)
    spots *= amplitude / max(spots.max(), 1e-12)
    return (spots + noise * default_rng(seed).standard_normal(blank.shape)).astype(np.float32)


PLACES = [(20, 20), (60, 90), (100, 40)]


def test_bright_spots_are_found_where_they_are() -> None:
    routine = LaplacianSpots(background=20.0, sigma=2.5, percent=0.3, minimum=10)
    mask = routine.mask(image(PLACES, 200.0, 4.0))
    numbers, count = label(mask, np.ones((3, 3)))
    assert count == 3
    assert all(mask[place] for place in PLACES)
    # A Gaussian of σ = 2.5 exceeds 0.3 of its peak within r = σ sqrt(2 ln(1 / 0.3)) = 3.9 px: 47 px.
    np.testing.assert_allclose(np.bincount(numbers.ravel())[1:], 47, atol=8)


def test_each_parameter_does_what_it_says() -> None:
    seen = image(PLACES, 200.0, 4.0)
    base = {"background": 20.0, "sigma": 2.5, "percent": 0.3, "minimum": 10}

    def area(**change: float) -> int:
        return int(LaplacianSpots.model_validate(base | change).mask(seen).sum())

    assert area(background=250.0) == 0
    assert area(percent=0.7) < area() < area(percent=0.05)
    assert area(minimum=100) == 0
    # The Laplacian of a Gaussian of σ = 2.5 smoothed by s is negative within r² = 2 (2.5² + s²): a wider s cuts less.
    assert area(sigma=0.5, percent=0.0) < area(sigma=4.0, percent=0.0)


def test_small_regions_are_dropped_as_by_a_loop() -> None:
    mask = default_rng(3).random((40, 40)) > 0.7
    numbers, count = label(mask, np.ones((3, 3)))
    expected = np.zeros_like(mask)
    for number in range(1, count + 1):
        if (numbers == number).sum() >= 6:
            expected |= numbers == number
    np.testing.assert_array_equal(without_small(mask, 6), expected)


def test_nothing_is_found_in_an_empty_image_and_a_broken_one_is_refused() -> None:
    assert not LaplacianSpots().mask(np.zeros((20, 20), np.float32)).any()
    with pytest.raises(InputError, match="finite"):
        LaplacianSpots().mask(np.full((20, 20), np.nan, np.float32))


def test_the_tuner_finds_a_better_setting_and_repeats_itself() -> None:
    truths = [image(PLACES, 1.0, 0.0) > 0.3, image(PLACES[:2], 1.0, 0.0) > 0.3]
    seen = [image(PLACES, 30.0, 8.0, 1), image(PLACES[:2], 30.0, 8.0, 2)]

    def dice(masks: list[np.ndarray]) -> float:
        both = sum((m & t).sum() for m, t in zip(masks, truths, strict=True))
        return float(2 * both / sum(m.sum() + t.sum() for m, t in zip(masks, truths, strict=True)))

    first = tune(seen, dice, default_rng(0), trials=25, refinements=5)
    assert first == tune(seen, dice, default_rng(0), trials=25, refinements=5)
    assert first.score == dice([first.routine.mask(s) for s in seen])
    assert first.score > first.scores[0] + 0.2
    assert list(first.scores) == sorted(first.scores)
    with pytest.raises(InputError, match="one of each"):
        tune([], dice, default_rng(0))


class TestLaplacianClassifierContract(PredictorContract):
    examples = [LaplacianClassifier(routine=LaplacianSpots(background=1.0, sigma=2.0, minimum=3))]

    def reload(self, predictor: LaplacianClassifier, folder: Path) -> LaplacianClassifier:
        return LaplacianClassifier.model_validate_json(predictor.model_dump_json())


def test_the_curve_holds_what_no_other_setting_beats() -> None:
    truth = image(PLACES, 1.0, 0.0) > 0.3
    seen = [image(PLACES, 30.0, 8.0, 1), image(PLACES, 30.0, 8.0, 2)]
    calls: list[tuple[float, float]] = []

    def judge(masks: list[np.ndarray]) -> tuple[float, float]:
        false = float(np.mean([label(m & ~truth, np.ones((3, 3)))[1] for m in masks]))
        calls.append((false, float(np.mean([m[truth].mean() for m in masks]))))
        return calls[-1]

    curve = tune_curve(seen, judge, default_rng(0), most=5.0, trials=25, refinements=8)
    assert len(calls) == 25 + 3 * 8
    for false, recall in calls:
        assert any(o.false <= false and o.recall >= recall for o in curve)
    assert [o.false for o in curve] == sorted(o.false for o in curve)
    for operating in curve:
        assert (operating.false, operating.recall) == judge([operating.routine.mask(s) for s in seen])
    # The search around the curve's settings is worth more than as many settings from everywhere.
    scattered = calls[:25]
    assert max(r for f, r in calls[25:49] if f <= 5.0) > max(r for f, r in scattered if f <= 5.0)


def test_what_is_beaten_is_left_out() -> None:
    nan = float("nan")
    assert unbeaten([3.0, 1.0, 2.0, 1.0, nan, 0.5], [0.9, 0.5, 0.4, 0.6, 1.0, nan]) == [3, 0]
    assert unbeaten([1.0, 1.0], [0.5, 0.5]) == [0]
