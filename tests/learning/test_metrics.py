import numpy as np
import pytest
import torch
from numpy.random import default_rng
from sklearn.metrics import confusion_matrix as of_sklearn
from sklearn.metrics import f1_score, jaccard_score

from beamforge.errors import InputError
from beamforge.learning.metrics import confusion_matrix, mean_dice_and_iou


@pytest.mark.parametrize("seed", range(5))
def test_equals_sklearn_on_the_pixels_that_count(seed: int) -> None:
    rng = default_rng(seed)
    labels = rng.integers(0, 5, (3, 9, 8))
    predicted = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, 5, labels.shape))
    labels[rng.random(labels.shape) < 0.2] = 255
    matrix = confusion_matrix(torch.from_numpy(predicted), torch.from_numpy(labels), 7)
    truth, guess = labels[labels != 255], predicted[labels != 255]
    np.testing.assert_array_equal(matrix, of_sklearn(truth, guess, labels=range(7)))
    dice, iou = mean_dice_and_iou(matrix)
    # Classes 5 and 6 are met nowhere and count nowhere.
    assert dice == pytest.approx(f1_score(truth, guess, average="macro"), rel=1e-12)
    assert iou == pytest.approx(jaccard_score(truth, guess, average="macro"), rel=1e-12)


def test_nothing_labelled_is_refused() -> None:
    with pytest.raises(InputError, match="labelled ignore"):
        mean_dice_and_iou(torch.zeros(3, 3, dtype=torch.int64))
