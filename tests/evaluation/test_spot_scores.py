import math

import numpy as np
import pytest
from numpy.random import default_rng
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from beamforge.errors import InputError
from beamforge.evaluation.spots import Damage, SpotScores


def test_pixel_scores_agree_with_scikit_learn() -> None:
    rng = default_rng(0)
    marked, truth = rng.random((50, 60)) < 0.1, rng.random((50, 60)) < 0.1
    scores = SpotScores.of(marked, truth)
    pairs = ((scores.precision, precision_score), (scores.recall, recall_score), (scores.f1, f1_score))
    for found, oracle in (*pairs, (scores.iou, jaccard_score)):
        assert found == pytest.approx(oracle(truth.ravel(), marked.ravel()))


def test_spots_are_counted_as_regions() -> None:
    truth, marked = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    truth[2, 2] = truth[3, 3] = True  # one spot: they touch at a corner
    truth[10, 10:14] = True
    marked[10, 13] = True  # finds the second
    marked[17, 17] = marked[18, 18] = marked[0, 19] = True  # two false alarms
    scores = SpotScores.of(marked, truth)
    assert scores.found == 0.5
    assert scores.false_alarms == pytest.approx(2 / 394)


def test_nothing_to_find_has_no_recall() -> None:
    nothing = np.zeros((5, 5), bool)
    scores = SpotScores.of(nothing, nothing)
    assert math.isnan(scores.recall)
    assert math.isnan(scores.f1)
    assert scores.false_alarms == 0.0


def test_damage_is_what_changed_outside_of_spots() -> None:
    before = np.zeros((10, 10), np.uint16)
    after = before.copy()
    after[0, 0], after[5, 5] = 300, 40000
    truth = np.zeros((10, 10), bool)
    truth[5, 5] = True
    damage = Damage.of(before, after, truth)
    assert damage.changed == pytest.approx(1 / 99)
    assert damage.largest == 300.0
    assert damage.rms == pytest.approx(math.sqrt(300**2 / 99))


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match=r"\(4, 4\)"):
        SpotScores.of(np.zeros((4, 4), bool), np.zeros((4, 5), bool))
    with pytest.raises(InputError, match="no pixel is clean"):
        Damage.of(np.zeros((2, 2)), np.zeros((2, 2)), np.ones((2, 2), bool))
