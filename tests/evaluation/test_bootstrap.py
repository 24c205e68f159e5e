import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import stats

from beamforge.evaluation import Bootstrap, overlap
from beamforge.evaluation.bootstrap import estimate, jackknife_weights, point, resampled_weights
from beamforge.evaluation.statistic import HEADLINES, PER_CLASS, pooled, tile_mean


def tables(tiles: int, classes: int = 3, seed: int = 0, right: float = 6.0) -> np.ndarray:
    """Confusions of a predictor that is right on a share of the pixels that differs from tile to tile."""
    rng = default_rng(seed)
    shares = rng.dirichlet(np.ones(classes) + right * np.eye(classes)[0], size=(tiles, classes))
    counts = np.stack([rng.multinomial(200, row) for row in shares.reshape(-1, classes)])
    counts = counts.reshape(tiles, classes, classes)
    for true in range(classes):
        counts[:, true] = np.roll(counts[:, true], true, axis=-1)
    return counts.astype(np.int64)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(
    ("statistic", "score", "is_pooled"),
    [
        (HEADLINES["dice"], overlap.mean_dice, False),
        (HEADLINES["mean_iou"], overlap.mean_iou, True),
    ],
)
def test_intervals_are_those_of_scipy(method, level, statistic, score, is_pooled) -> None:
    confusions = tables(25)

    def by_indices(index: np.ndarray, axis: int = -1) -> np.ndarray:
        drawn = confusions[index.astype(int)]
        return score(drawn.sum(axis=-3)) if is_pooled else score(drawn).mean(axis=-1)

    resamples = 2000
    expected = stats.bootstrap(
        (np.arange(25),), by_indices, n_resamples=resamples, confidence_level=level, vectorized=True,
        axis=-1, method=method, rng=default_rng(3),
    )  # fmt: skip
    (found,) = estimate(statistic, confusions, Bootstrap(resamples=resamples, level=level, method=method, seed=3))
    assert found is not None
    assert found.value == pytest.approx(float(by_indices(np.arange(25.0))), rel=1e-12)
    # The same seed draws the same resamples there, so that nothing is left to chance.
    assert found.interval == pytest.approx(tuple(expected.confidence_interval), rel=1e-10)


@given(st.integers(2, 30), st.integers(1, 50), st.integers(0, 2**32))
def test_every_resample_draws_as_many_tiles_as_there_are(tiles: int, resamples: int, seed: int) -> None:
    weights = np.concatenate(list(resampled_weights(tiles, resamples, default_rng(seed))))
    assert weights.shape == (resamples, tiles)
    assert (weights.sum(axis=1) == tiles).all()


def test_blocks_only_split_the_work(monkeypatch) -> None:
    whole = estimate(HEADLINES["mean_iou"], tables(20), Bootstrap(method="bca", resamples=101))
    monkeypatch.setattr("beamforge.evaluation.bootstrap._WEIGHTS_AT_ONCE", 50)
    assert len(list(resampled_weights(20, 101, default_rng(0)))) == 51
    parts = estimate(HEADLINES["mean_iou"], tables(20), Bootstrap(method="bca", resamples=101))
    np.testing.assert_allclose(parts[0].interval, whole[0].interval, rtol=1e-12)
    np.testing.assert_array_equal(np.concatenate(list(jackknife_weights(20))), 1 - np.eye(20))


@given(st.integers(2, 12), st.integers(0, 2**32), st.sampled_from(["percentile", "bca"]))
@settings(max_examples=40, deadline=None)
def test_the_interval_is_ordered_and_inside_the_scores_range(tiles: int, seed: int, method: str) -> None:
    for statistic in HEADLINES.values():
        (found,) = estimate(statistic, tables(tiles, seed=seed), Bootstrap(resamples=200, method=method))
        assert 0 <= found.interval[0] <= found.interval[1] <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    score, everything = HEADLINES["dice"], tables(4000, seed=1)
    truth = float(point(score, everything))
    covered = 0
    for part in everything.reshape(100, 40, 3, 3):
        (found,) = estimate(score, part, Bootstrap(level=0.9, resamples=1000))
        covered += found.interval[0] <= truth <= found.interval[1]
    # Binomial(100, .9): within 78..98 in all but one of 10,000 runs.
    assert 78 <= covered <= 98


def test_equal_tiles_leave_no_width() -> None:
    for method in ("percentile", "bca"):
        (found,) = estimate(tile_mean(overlap.mean_dice), np.repeat(tables(1), 7, axis=0), Bootstrap(method=method))
        np.testing.assert_allclose(found.interval, found.value, rtol=1e-12)


def test_one_tile_has_a_score_but_no_interval() -> None:
    (found,) = estimate(HEADLINES["dice"], tables(1), Bootstrap())
    assert found.interval is None
    assert str(found) == f"{found.value:.4f}"


def test_an_absent_class_has_no_score() -> None:
    confusions = np.zeros((5, 3, 3), np.int64)
    confusions[:, :2, :2] = tables(5, classes=2)
    found = estimate(PER_CLASS["iou"], confusions, Bootstrap(resamples=50))
    assert found[2] is None
    assert found[0] is not None


def test_resamples_that_miss_a_class_do_not_count_against_it() -> None:
    confusions = tables(8, right=50)
    confusions[1:, 2, :] = 0  # the third class is true in the first tile alone, but guessed here and there
    confusions[1:, 0, 2] = 1
    _, _, rare = estimate(PER_CLASS["iou"], confusions, Bootstrap(resamples=1000))
    (mean,) = estimate(HEADLINES["mean_iou"], confusions, Bootstrap(resamples=1000))
    assert rare.interval[0] > 0.5
    assert mean.interval[0] > 0.8


def test_a_class_in_one_tile_is_judged_by_the_resamples_that_drew_it() -> None:
    confusions = tables(6, classes=2)
    confusions[1:, 1, :] = confusions[1:, :, 1] = 0
    _, rare = estimate(pooled(overlap.iou), confusions, Bootstrap(resamples=500))
    assert rare is not None
    assert 0 < rare.interval[0] <= rare.value <= rare.interval[1]


def judged_tiles(count: int, rng: np.random.Generator) -> np.ndarray:
    """Confusions of tiles of three classes whose share of right pixels varies from tile to tile."""
    right = rng.binomial(200, rng.beta(8, 2, (count, 1)), (count, 3))
    found = np.zeros((count, 3, 3), np.int64)
    for label in range(3):
        found[:, label, label] = right[:, label]
        found[:, label, (label + 1) % 3] = 200 - right[:, label]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("tiles", "least", "most"), [(5, 0.76, 0.89), (40, 0.91, 0.98)])
def test_intervals_of_few_tiles_are_too_short_and_those_of_many_hold(tiles: int, least: float, most: float) -> None:
    rng = np.random.default_rng(3)
    statistic = HEADLINES["mean_iou"]
    truth = float(point(statistic, judged_tiles(20_000, rng)))
    intervals = [
        estimate(statistic, judged_tiles(tiles, rng), Bootstrap(resamples=400, seed=seed))[0].interval
        for seed in range(600)
    ]
    assert least <= np.mean([low <= truth <= high for low, high in intervals]) <= most
