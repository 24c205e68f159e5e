import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, precision_score, recall_score, zero_one_loss

from beamforge.errors import InputError
from beamforge.evaluation.classification import ClassificationScores, evaluate_classifier
from beamforge.stack import IGNORE, Channel, Classes

NAMES = ("free", "crack", "pore")


def random_scores(seed: int, tiles: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = default_rng(seed)
    return rng.integers(0, 3, tiles), rng.dirichlet(np.ones(3), tiles)


@given(st.integers(0, 2**31))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    truth, probabilities = random_scores(seed)
    predicted = probabilities.argmax(axis=1)
    scores = ClassificationScores.from_probabilities(truth, probabilities, NAMES)
    assert scores.error.value == pytest.approx(zero_one_loss(truth, predicted))
    np.testing.assert_array_equal(scores.confusion, confusion_matrix(truth, predicted))
    np.testing.assert_allclose(scores.recall, recall_score(truth, predicted, average=None))
    np.testing.assert_allclose(scores.precision, precision_score(truth, predicted, average=None))
    assert scores.balanced_error == pytest.approx(1 - balanced_accuracy_score(truth, predicted))


def test_ignored_tiles_do_not_count_and_mistakes_are_listed_surest_first() -> None:
    truth = np.array([0, IGNORE, 1, 2, 1])
    probabilities = np.array([[0.6, 0.3, 0.1], [0, 1, 0], [0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [0, 1, 0]])
    scores = ClassificationScores.from_probabilities(truth, probabilities, NAMES)
    assert scores.tiles == 4
    assert scores.error.value == 0.5
    assert scores.misclassified() == [3, 2]
    again = ClassificationScores.model_validate(json.loads(json.dumps(scores.model_dump(mode="json"))))
    assert again.misclassified() == [3, 2]
    with pytest.raises(InputError, match="no tile to judge: none has a class"):
        ClassificationScores.from_probabilities(np.array([IGNORE]), probabilities[:1], NAMES)


class Brightness:
    """Bright tiles are of class 1."""

    classes = Classes(names=("dark", "bright"))
    channels = (Channel(),)

    def log_probabilities(self, images):
        bright = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3))))
        return np.log(np.stack([1 - bright, bright], axis=1)).astype(np.float32)


def test_a_classifier_is_judged_on_tiles_of_any_sizes() -> None:
    rng = default_rng(4)
    pairs = []
    for number in range(70):
        side = 4 if number < 40 else 6
        label = number % 2
        image = np.full((1, side, side), 2.0 * label - 1, np.float32)
        pairs.append((image if number % 10 else -image, np.full((1, 1), label)))
    order = rng.permutation(70)
    scores = evaluate_classifier(Brightness(), [pairs[number] for number in order])
    assert scores.error.value == pytest.approx(0.1)
    assert sorted(order[n] for n in scores.misclassified()) == list(range(0, 70, 10))


def test_what_cannot_be_judged_is_named() -> None:
    with pytest.raises(InputError, match="a tile has 2 channels, the classifier takes 1"):
        evaluate_classifier(Brightness(), [(np.zeros((2, 4, 4)), 0)])
    with pytest.raises(InputError, match=r"labels of shape \(4, 4\).*TileClasses"):
        evaluate_classifier(Brightness(), [(np.zeros((1, 4, 4)), np.zeros((4, 4)))])
    with pytest.raises(InputError, match="there is no tile to judge"):
        evaluate_classifier(Brightness(), [])

    class Others(list):
        classes = Classes(names=("a", "b"))

    with pytest.raises(InputError, match=r"knows the classes \['dark', 'bright'\] but the tiles are of \['a', 'b'\]"):
        evaluate_classifier(Brightness(), Others())
