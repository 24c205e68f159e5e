import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.random import default_rng
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from beamforge.evaluation import confusion
from beamforge.evaluation.overlap import dice, iou, mean_dice, mean_iou, pixel_accuracy

counts = st.integers(1, 6).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(0, 1000)))


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 60))
def test_scores_are_those_of_scikit_learn(seed: int, classes: int, pixels: int) -> None:
    rng = default_rng(seed)
    truth, guess = rng.integers(classes, size=(2, pixels))
    table = confusion(truth, guess, classes)
    present = np.unique(truth)
    np.testing.assert_allclose(iou(table)[present], jaccard_score(truth, guess, labels=present, average=None))
    np.testing.assert_allclose(dice(table)[present], f1_score(truth, guess, labels=present, average=None))
    np.testing.assert_allclose(mean_iou(table), jaccard_score(truth, guess, labels=present, average="macro"))
    np.testing.assert_allclose(mean_dice(table), f1_score(truth, guess, labels=present, average="macro"), rtol=1e-12)
    np.testing.assert_allclose(pixel_accuracy(table), accuracy_score(truth, guess))
    np.testing.assert_allclose(pixel_accuracy(table), f1_score(truth, guess, average="micro"))
    absent = np.setdiff1d(np.arange(classes), present)
    assert np.isnan(iou(table)[absent]).all()
    assert np.isnan(dice(table)[absent]).all()


@given(counts)
def test_iou_and_dice_say_the_same_of_one_class(table) -> None:
    np.testing.assert_allclose(iou(table), dice(table) / (2 - dice(table)), rtol=1e-12)


@given(counts, st.randoms(use_true_random=False))
def test_the_order_of_the_classes_does_not_matter(table, random) -> None:
    order = list(range(len(table)))
    random.shuffle(order)
    shuffled = table[np.ix_(order, order)]
    for score in (mean_dice, mean_iou, pixel_accuracy):
        np.testing.assert_allclose(score(shuffled), score(table), rtol=1e-12)
    np.testing.assert_array_equal(iou(shuffled), iou(table)[order])


@given(arrays(np.int64, st.integers(1, 6), elements=st.integers(0, 100)))
def test_a_perfect_prediction_scores_one_where_there_is_something(pixels) -> None:
    table = np.diag(pixels)
    for score in (mean_dice, mean_iou, pixel_accuracy):
        np.testing.assert_array_equal(score(table), 1.0 if pixels.any() else np.nan)
    np.testing.assert_array_equal(iou(table), np.where(pixels > 0, 1.0, np.nan))


def test_a_class_that_only_the_prediction_holds_has_no_score_of_its_own() -> None:
    # 3 of 4 pixels right, one taken for a class that is not there.
    table = np.array([[3, 0, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(mean_iou(table), 0.75)
    np.testing.assert_allclose(mean_dice(table), 2 * 3 / (4 + 3))
    np.testing.assert_array_equal(np.isnan(iou(table)), [False, True, True])


@given(arrays(np.int64, (3, 4, 4), elements=st.integers(0, 9)))
def test_many_tables_at_once(tables) -> None:
    for score in (dice, iou, mean_dice, mean_iou, pixel_accuracy):
        np.testing.assert_array_equal(score(tables), np.stack([score(table) for table in tables]))
