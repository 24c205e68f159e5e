"""Scores, intervals, the train x evaluate matrix, and statistics of repeated runs."""

from beamforge.evaluation.bootstrap import Bootstrap, Estimate
from beamforge.evaluation.classification import ClassificationScores, evaluate_classifier
from beamforge.evaluation.confusion import Counts, confusion, tile_confusions
from beamforge.evaluation.difference import Difference, paired_difference
from beamforge.evaluation.hardness import Hardness, find_hardness
from beamforge.evaluation.intervals import agresti_coull, bootstrap_interval, t_interval
from beamforge.evaluation.judge import (
    Judged,
    MeasuredImage,
    count_confusions,
    evaluate,
    evaluate_image,
    predict_image,
    predict_labels,
    predict_log_probabilities,
    predict_probability,
)
from beamforge.evaluation.matrix import Comparison, Matrix, matrix_of_counts, train_evaluate_matrix
from beamforge.evaluation.paired import PairedComparison, compare_paired
from beamforge.evaluation.repeats import Repeats, Summary, collect_repeats
from beamforge.evaluation.scores import ClassScores, Scores

__all__ = [
    "Bootstrap",
    "ClassScores",
    "ClassificationScores",
    "Comparison",
    "Counts",
    "Difference",
    "Estimate",
    "Hardness",
    "Judged",
    "Matrix",
    "MeasuredImage",
    "PairedComparison",
    "Repeats",
    "Scores",
    "Summary",
    "agresti_coull",
    "bootstrap_interval",
    "collect_repeats",
    "compare_paired",
    "confusion",
    "count_confusions",
    "evaluate",
    "evaluate_classifier",
    "evaluate_image",
    "find_hardness",
    "matrix_of_counts",
    "paired_difference",
    "predict_image",
    "predict_labels",
    "predict_log_probabilities",
    "predict_probability",
    "t_interval",
    "tile_confusions",
    "train_evaluate_matrix",
]
