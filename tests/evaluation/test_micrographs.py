import numpy as np
import pytest
from numpy.random import default_rng
from sklearn.metrics import accuracy_score, jaccard_score

from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap
from beamforge.evaluation.boundaries import BoundaryCounts
from beamforge.evaluation.grains import flooded_grains
from beamforge.evaluation.micrographs import MicrographScores


def lattice(step, shift=0, width=3, size=60):
    labels = np.zeros((size, size), np.uint8)
    for place in range(step // 2 + shift, size, step):
        labels[place : place + width] = labels[:, place : place + width] = 1
    return labels


def pairs():
    rng = default_rng(1)
    truth = [lattice(20), lattice(15), lattice(30)]
    return [(np.where(rng.random(t.shape) < 0.03, 1 - t, t).astype(np.uint8), t) for t in truth]


def test_a_perfect_prediction() -> None:
    scores = MicrographScores.of([(lattice(20), lattice(20))], ["one"])
    assert scores.mean_iou.value == scores.f.value == 1.0
    assert scores.pixel_error.value == scores.adapted_rand_error == 0.0
    assert scores.false_splits == pytest.approx(0.0, abs=1e-12)
    assert scores.grains_predicted == scores.grains_true
    assert scores.mean_iou.interval is None


def test_overlap_is_that_of_all_pixels_together() -> None:
    found = MicrographScores.of(pairs(), ["a", "a", "b"])
    predicted, truth = (np.concatenate([pair[i].ravel() for pair in pairs()]) for i in (0, 1))
    assert found.mean_iou.value == pytest.approx(jaccard_score(truth, predicted, average="macro"))
    assert found.boundary_iou.value == pytest.approx(jaccard_score(truth, predicted))
    assert found.pixel_error.value == pytest.approx(1.0 - accuracy_score(truth, predicted))
    counts = BoundaryCounts.total(BoundaryCounts.of(p == 1, t == 1, 3.0) for p, t in pairs())
    assert (found.precision.value, found.recall.value) == (counts.precision, counts.recall)
    assert found.f.value == pytest.approx(counts.f)
    assert (found.pictures, found.micrographs) == (3, 2)


def test_ignored_pixels_do_not_count() -> None:
    truth = lattice(20)
    predicted = truth.copy()
    predicted[:30] = 1
    truth[:30] = 255
    assert MicrographScores.of([(predicted, truth)], ["a"]).mean_iou.value == 1.0


def test_intervals_are_over_micrographs() -> None:
    good, bad = (lattice(20), lattice(20)), (lattice(20, shift=5), lattice(20))
    bootstrap = Bootstrap(resamples=400, seed=1)
    mixed = MicrographScores.of([good, bad, good, bad], ["a", "b", "c", "d"], bootstrap=bootstrap)
    # Pictures of one micrograph are drawn together: with both kinds in each there is nothing to vary.
    paired = MicrographScores.of([good, bad, good, bad], ["a", "a", "b", "b"], bootstrap=bootstrap)
    assert mixed.f.interval[1] - mixed.f.interval[0] > 0.3
    assert paired.f.interval[1] - paired.f.interval[0] == pytest.approx(0.0, abs=1e-12)
    assert mixed.f.value == paired.f.value


def test_an_empty_prediction_scores_nothing_and_merges_all() -> None:
    scores = MicrographScores.of([(np.zeros((60, 60), np.uint8), lattice(20))], ["a"])
    assert scores.f.value == scores.boundary_iou.value == 0.0
    assert scores.grains_predicted == 1.0
    assert scores.intercept_predicted == 60.0
    assert scores.false_merges > 1.0


def test_grains_may_be_numbered_better_than_the_labels_part_them() -> None:
    truth = lattice(20)
    broken = truth.copy()
    broken[9:12, 15:18] = broken[30:34, 29:33] = 0
    left = MicrographScores.of([(broken, truth)], ["a"])
    closed = MicrographScores.of([(broken, truth)], ["a"], grains=[flooded_grains(broken.astype(np.float32))])
    assert closed.adapted_rand_error < 0.5 * left.adapted_rand_error
    assert closed.grains_true - closed.grains_predicted < left.grains_true - left.grains_predicted
    # The gaps cost a few crossings, the grains they join cost none.
    assert closed.intercept_predicted == left.intercept_predicted == pytest.approx(left.intercept_true, rel=0.1)


def test_nothing_to_judge_is_said() -> None:
    with pytest.raises(InputError, match="no annotated"):
        MicrographScores.of([], [])
