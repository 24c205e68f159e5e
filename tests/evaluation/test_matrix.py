import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, Matrix, MeasuredImage, evaluate, train_evaluate_matrix
from beamforge.stack import Channel, Classes, as_labels, as_stack


class Threshold:
    """Two classes, told apart at a level."""

    halo, multiple = 0, 1
    channels, classes = (Channel(),), Classes.numbered(2)

    def __init__(self, level: float) -> None:
        self.level = level

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        above = 1 / (1 + np.exp(-5 * (images[:, 0] - self.level)))
        return np.log(np.stack([1 - above, above], axis=1)).astype(np.float32)


def labelled(shift: float, count: int, seed: int):
    rng = default_rng(seed)
    truth = rng.integers(0, 2, (count, 16, 16))
    images = (truth + shift + rng.normal(0, 0.5, truth.shape))[:, None].astype(np.float32)
    return list(zip(images, truth, strict=True))


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    image, truth = labelled(0.6, 1, 9)[0]
    datasets = {
        "synthetic": labelled(0.0, 12, 1),
        "measured": (pair for pair in labelled(0.6, 10, 2)),
        "whole": MeasuredImage(as_stack(image), as_labels(truth), tile=4),
    }
    models = {"synthetic": Threshold(0.5), "measured": Threshold(1.1)}
    return train_evaluate_matrix(models, datasets, bootstrap=Bootstrap(resamples=400))


def test_cells_are_single_evaluations(matrix) -> None:
    expected = evaluate(Threshold(1.1), labelled(0.6, 10, 2), bootstrap=Bootstrap(resamples=400))
    assert matrix.scores["measured"]["measured"].model_dump_json() == expected.model_dump_json()
    assert matrix.scores["synthetic"]["whole"].tiles == 16


def test_differences_know_which_model_is_better(matrix) -> None:
    for dataset in ("synthetic", "measured"):
        other = "measured" if dataset == "synthetic" else "synthetic"
        ahead = matrix.difference(dataset, other, dataset)
        assert ahead.value == pytest.approx(
            matrix.scores[dataset][dataset].dice.value - matrix.scores[other][dataset].dice.value, rel=1e-12
        )
        assert ahead.interval[0] > 0
        assert ahead.p_value < 0.01
        assert matrix.difference(other, dataset, dataset).value == -ahead.value


def test_matrix_survives_json(matrix) -> None:
    again = Matrix.model_validate_json(matrix.model_dump_json())
    assert again.model_dump_json() == matrix.model_dump_json()


def test_tables(matrix) -> None:
    lines = matrix.markdown("mean_iou").splitlines()
    assert lines[0] == "| train → evaluate | synthetic | measured | whole |"
    assert lines[3].split("|")[2].strip() == str(matrix.scores["measured"]["synthetic"].mean_iou)
    assert len(matrix.rows()) == 2 * 3 * (5 + 2 * 2)


def test_unknown_names_get_the_nearest(matrix) -> None:
    with pytest.raises(InputError, match="did you mean 'mean_iou'"):
        matrix.markdown("mean_iuo")
    with pytest.raises(InputError, match="did you mean 'measured'"):
        matrix.difference("measurd", "synthetic", "measured")
    with pytest.raises(InputError, match="comparison 'moon/dice'"):
        matrix.difference("measured", "synthetic", "moon")
