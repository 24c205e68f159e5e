"""The base of all tasks, and how their scores are averaged over images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from beamforge.arrays import Integers
from beamforge.errors import InputError, one_of
from beamforge.evaluation.bootstrap import Bootstrap, Estimate, resampled_weights
from beamforge.learning.registry import Registry
from beamforge.simulation.step import describe
from beamforge.stack import IGNORE, Classes


class Task(BaseModel):
    """Scores one segmented image beside its truth.

    A subclass states the names of its scores, the most telling first, and writes `scores`::

        @TASKS.register("spots")
        class Spots(Task):
            names: ClassVar[tuple[str, ...]] = ("F1", "precision")

            def scores(self, predicted, truth, classes): ...
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: ClassVar[tuple[str, ...]] = ()

    def scores(self, predicted: Integers, truth: Integers, classes: Classes) -> Mapping[str, float]:
        """Score labels (y, x); pixels that the truth ignores are 255 in both. NaN where a score says nothing."""
        raise NotImplementedError(f"the task {type(self).__name__} has no scores")


TASKS: Registry[type[Task]] = Registry("task to score", "beamforge.evaluation.tasks")


def create_task(name: str, settings: Mapping[str, Any]) -> Task:
    """Build a task from a recipe's settings.

    Raises
    ------
    InputError
        For an unknown task or setting.
    """
    kind = TASKS[name]
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise InputError(f"tasks.{name}: {describe(error)}") from error


def class_number(name: str, classes: Classes) -> int:
    """Find the number of a class.

    Raises
    ------
    InputError
        Naming the nearest class there is.
    """
    if name not in classes.names:
        raise one_of("class", name, classes.names)
    return classes.names.index(name)


def judge_task(
    task: Task, images: Iterable[tuple[Integers, Integers]], classes: Classes, bootstrap: Bootstrap | None = None
) -> dict[str, Estimate | None]:
    """Average a task's scores over images.

    Parameters
    ----------
    task
        What is scored.
    images
        Predicted and true labels (y, x) of each image; 255 in the truth is ignored.
    classes
        Of the labels.
    bootstrap
        How the intervals over images are computed.

    Returns
    -------
    The mean of each score over the images in which it says something, with its interval; None where none does.
    """
    rows = [task.scores(np.where(truth == IGNORE, IGNORE, found), truth, classes) for found, truth in images]
    return {name: _mean(np.array([row[name] for row in rows]), bootstrap or Bootstrap()) for name in task.names}


def _mean(values: np.ndarray, bootstrap: Bootstrap) -> Estimate | None:
    known = values[np.isfinite(values)].astype(np.float64)
    if not known.size:
        return None
    if known.size == 1:
        return Estimate(value=float(known[0]))
    means = np.concatenate([w @ known for w in resampled_weights(known.size, bootstrap.resamples, bootstrap.rng)])
    low, high = np.quantile(means / known.size, bootstrap.tails)
    return Estimate(value=float(known.mean()), interval=(float(low), float(high)))
