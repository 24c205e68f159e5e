import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, paired_difference
from beamforge.evaluation.overlap import mean_dice, mean_iou


def judged(right: float, truth: np.ndarray, seed: int) -> np.ndarray:
    """Confusions of a predictor that takes a pixel's class right with about this probability."""
    rng = default_rng(seed)
    tiles, classes = truth.shape
    counts = np.zeros((tiles, classes, classes), np.int64)
    for tile in range(tiles):
        for true in range(classes):
            chances = np.full(classes, (1 - right) / (classes - 1))
            chances[true] = right
            counts[tile, true] = rng.multinomial(truth[tile, true], rng.dirichlet(40 * chances))
    return counts


TRUTH = default_rng(0).integers(20, 200, size=(18, 3))
GOOD, FAIR = judged(0.80, TRUTH, 1), judged(0.785, TRUTH, 2)


def test_p_value_is_that_of_scipys_permutation_test() -> None:
    expected = stats.permutation_test(
        (mean_dice(GOOD), mean_dice(FAIR)), lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=20_000, rng=default_rng(1),
    )  # fmt: skip
    found = paired_difference(GOOD, FAIR, "dice", Bootstrap(resamples=20_000))
    assert found.value == pytest.approx(float(expected.statistic), rel=1e-12)
    assert 0.001 < expected.pvalue < 0.5
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=0.15)


def test_interval_is_that_of_scipys_bootstrap() -> None:
    gaps = mean_dice(GOOD) - mean_dice(FAIR)
    expected = stats.bootstrap((gaps,), np.mean, n_resamples=2000, method="percentile", rng=default_rng(1))
    found = paired_difference(GOOD, FAIR, "dice", Bootstrap(resamples=2000, seed=1))
    # The same seed draws the same resamples there, so that nothing is left to chance.
    assert found.interval == pytest.approx(tuple(expected.confidence_interval), rel=1e-10)


def test_pooled_score_is_that_of_the_summed_tables() -> None:
    found = paired_difference(GOOD, FAIR, "mean_iou")
    assert found.value == pytest.approx(float(mean_iou(GOOD.sum(0)) - mean_iou(FAIR.sum(0))), rel=1e-12)


@pytest.mark.parametrize("metric", ["dice", "mean_iou", "pixel_accuracy"])
def test_a_predictor_does_not_differ_from_itself(metric) -> None:
    found = paired_difference(GOOD, GOOD, metric)
    assert found.value == 0
    assert found.interval == (0, 0)
    assert found.p_value == 1


def test_the_other_way_round_only_the_sign_changes() -> None:
    there, back = paired_difference(GOOD, FAIR), paired_difference(FAIR, GOOD)
    assert back.value == -there.value
    assert there.reversed().interval == pytest.approx(back.interval, abs=1e-12)
    assert there.p_value == back.p_value


def test_p_values_of_equal_predictors_are_uniform() -> None:
    p_values = []
    for seed in range(120):
        truth = default_rng(seed).integers(20, 100, size=(12, 3))
        first, second = judged(0.8, truth, 1000 + seed), judged(0.8, truth, 5000 + seed)
        p_values.append(paired_difference(first, second, "mean_iou", Bootstrap(resamples=300)).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_one_tile_gives_a_difference_without_interval() -> None:
    found = paired_difference(GOOD[:1], FAIR[:1])
    assert found.interval is None
    assert found.p_value is None


@pytest.mark.parametrize(
    ("second", "metric", "words"),
    [
        (FAIR[:-1], "dice", "same pixels"),
        (FAIR[::-1], "dice", "same pixels"),
        (FAIR, "mean_iuo", "did you mean 'mean_iou'"),
    ],
)
def test_what_cannot_be_compared_is_refused(second, metric, words) -> None:
    with pytest.raises(InputError, match=words):
        paired_difference(GOOD, second, metric)
