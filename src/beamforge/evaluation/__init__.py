"""Scores, intervals and the train x evaluate matrix."""

from beamforge.evaluation.bootstrap import Bootstrap, Estimate
from beamforge.evaluation.confusion import Counts, confusion, tile_confusions
from beamforge.evaluation.difference import Difference, paired_difference
from beamforge.evaluation.judge import (
    Judged,
    MeasuredImage,
    count_confusions,
    evaluate,
    evaluate_image,
    predict_image,
    predict_labels,
)
from beamforge.evaluation.matrix import Comparison, Matrix, train_evaluate_matrix
from beamforge.evaluation.scores import ClassScores, Scores

__all__ = [
    "Bootstrap",
    "ClassScores",
    "Comparison",
    "Counts",
    "Difference",
    "Estimate",
    "Judged",
    "Matrix",
    "MeasuredImage",
    "Scores",
    "confusion",
    "count_confusions",
    "evaluate",
    "evaluate_image",
    "paired_difference",
    "predict_image",
    "predict_labels",
    "tile_confusions",
    "train_evaluate_matrix",
]
