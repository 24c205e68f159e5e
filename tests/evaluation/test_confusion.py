import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix

from beamforge.errors import InputError
from beamforge.evaluation import confusion, tile_confusions

CLASSES = 4
numbers = st.sampled_from([0, 1, 2, 3, 255])
images = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(
        arrays(np.uint8, shape, elements=numbers),
        arrays(np.uint8, shape, elements=st.integers(0, CLASSES - 1)),
        arrays(np.bool_, shape),
    )
)


@given(images)
def test_counts_are_those_of_scikit_learn(pair) -> None:
    truth, prediction, valid = pair
    counted = (truth != 255) & valid
    if counted.any():
        expected = confusion_matrix(truth[counted], prediction[counted], labels=range(CLASSES))
    else:
        expected = np.zeros((CLASSES, CLASSES))
    found = confusion(truth, prediction, CLASSES, valid=valid)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@given(images, st.integers(1, 5))
def test_tiles_are_those_cut_out_by_hand(pair, tile: int) -> None:
    truth, prediction, valid = pair
    expected = []
    for top in range(0, truth.shape[0], tile):
        for left in range(0, truth.shape[1], tile):
            cut = np.s_[top : top + tile, left : left + tile]
            counts = confusion(truth[cut], prediction[cut], CLASSES, valid=valid[cut])
            if counts.sum():
                expected.append(counts)
    found = tile_confusions(truth, prediction, CLASSES, tile, valid=valid)
    np.testing.assert_array_equal(found, np.array(expected).reshape(-1, CLASSES, CLASSES))


def test_what_lies_under_ignored_pixels_does_not_matter() -> None:
    truth = np.array([0, 1, 255, 2])
    for under in range(256):
        assert confusion(truth, np.array([0, 1, under, 1]), 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("truth", "prediction", "words"),
    [
        ([0, 1], [0, 1, 1], r"\(2,\).*\(3,\)"),
        ([0, 7], [0, 1], r"truth holds the class numbers \[7\], expected 0\.\.1"),
        ([0, 1], [0, 255], r"prediction holds the class numbers \[255\]"),
        ([0, 1], [0.2, 0.8], "float64"),
    ],
)
def test_what_cannot_be_counted_is_named(truth, prediction, words) -> None:
    with pytest.raises(InputError, match=words):
        confusion(truth, prediction, 2)
