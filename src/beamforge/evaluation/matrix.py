"""Which training data pays on which evaluation data: rows train, columns evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from pydantic import BaseModel, ConfigDict

from beamforge.errors import one_of
from beamforge.evaluation.bootstrap import Bootstrap
from beamforge.evaluation.confusion import Counts
from beamforge.evaluation.difference import Difference, paired_difference
from beamforge.evaluation.judge import Judged, count_confusions
from beamforge.evaluation.scores import Scores
from beamforge.evaluation.statistic import HEADLINES
from beamforge.predictor import Predictor


class Comparison(BaseModel):
    """Two predictors on one data set: is the first above the second?"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    metric: str
    first: str
    second: str
    difference: Difference


class Matrix(BaseModel):
    """Scores of predictors (rows, named by what they were trained on) on data sets (columns), JSON-able."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    scores: dict[str, dict[str, Scores]]
    comparisons: tuple[Comparison, ...] = ()

    def difference(self, first: str, second: str, dataset: str, metric: str = "dice") -> Difference:
        """Give by how much the first model exceeds the second on a data set.

        Raises
        ------
        InputError
            For names that the matrix does not hold.
        """
        for name in (first, second):
            if name not in self.models:
                raise one_of("model", name, self.models)
        for one in self.comparisons:
            if one.dataset == dataset and one.metric == metric:
                if (one.first, one.second) == (first, second):
                    return one.difference
                if (one.first, one.second) == (second, first):
                    return one.difference.reversed()
        raise one_of("comparison", f"{dataset}/{metric}", {f"{one.dataset}/{one.metric}" for one in self.comparisons})

    def rows(self) -> list[dict[str, Any]]:
        """Give a flat table: model, dataset, score, class, value, low, high."""
        return [
            {"model": model, "dataset": dataset, **row}
            for model in self.models
            for dataset in self.datasets
            for row in self.scores[model][dataset].rows()
        ]

    def markdown(self, metric: str = "dice") -> str:
        """Give the table of one headline score as Markdown, with intervals.

        Raises
        ------
        InputError
            For an unknown metric.
        """
        if metric not in HEADLINES:
            raise one_of("metric", metric, HEADLINES)
        lines = [
            "| train → evaluate | " + " | ".join(self.datasets) + " |",
            "|---" * (1 + len(self.datasets)) + "|",
        ]
        for model in self.models:
            cells = [str(getattr(self.scores[model][dataset], metric)) for dataset in self.datasets]
            lines.append("| " + " | ".join([model, *cells]) + " |")
        return "\n".join(lines) + "\n"


def train_evaluate_matrix(
    models: Mapping[str, Predictor],
    datasets: Mapping[str, Judged],
    *,
    batch: int = 8,
    bootstrap: Bootstrap | None = None,
    compared: tuple[str, ...] = ("dice", "mean_iou"),
) -> Matrix:
    """Judge every model on every data set, and every pair of models on the same tiles.

    Parameters
    ----------
    models
        Predictors by the name of their row, such as what they were trained on.
    datasets
        Data by the name of their column; each is read once.
    batch
        Images predicted at once.
    bootstrap
        How intervals and differences are computed.
    compared
        The headline scores whose differences between models are tested.

    Raises
    ------
    InputError
        If classes or channels of a model and the data differ, or a data set holds nothing to judge.
    """
    counts = {dataset: count_confusions(models, images, batch=batch) for dataset, images in datasets.items()}
    classes = {model: predictor.classes.names for model, predictor in models.items()}
    return matrix_of_counts(counts, classes, bootstrap=bootstrap, compared=compared)


def matrix_of_counts(
    counts: Mapping[str, Mapping[str, Counts]],
    classes: Mapping[str, tuple[str, ...]],
    *,
    bootstrap: Bootstrap | None = None,
    compared: tuple[str, ...] = ("dice", "mean_iou"),
) -> Matrix:
    """Score confusions that were counted already.

    Parameters
    ----------
    counts
        Confusions (tile, class, class) by data set and model, of the same tiles for every model.
    classes
        Names of the classes of each model.
    bootstrap, compared
        As of `train_evaluate_matrix`.
    """
    scores: dict[str, dict[str, Scores]] = {model: {} for model in classes}
    comparisons: list[Comparison] = []
    for dataset, of_models in counts.items():
        for model, names in classes.items():
            scores[model][dataset] = Scores.from_confusions(of_models[model], names, bootstrap)
        comparisons += [
            Comparison(
                dataset=dataset,
                metric=metric,
                first=first,
                second=second,
                difference=paired_difference(of_models[first], of_models[second], metric, bootstrap),
            )
            for metric in compared
            for first, second in combinations(classes, 2)
        ]
    return Matrix(models=tuple(classes), datasets=tuple(counts), scores=scores, comparisons=tuple(comparisons))
