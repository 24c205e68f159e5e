"""Scores of a simulation recipe's tasks, and the predictions its report shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, Judged, MeasuredImage, predict_image, predict_labels
from beamforge.evaluation.tasks import TASKS, Task, judge_task
from beamforge.predictor import Predictor
from beamforge.recipes.simulations.measured import window_of_interest
from beamforge.simulation.step import describe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from beamforge.recipes.simulations.job import SimulationJob

_SIMULATED_SHOWN = 2
_LARGEST_SHOWN = 640
"""Side in px of the part of a measured image that is shown."""


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


def judge_tasks(
    tasks: Mapping[str, Mapping[str, Any]],
    predictors: Mapping[str, Predictor],
    judged: Mapping[str, Judged],
    bootstrap: Bootstrap,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Score every row on every data set: data set, row, score, as JSON."""
    built = [create_task(name, settings) for name, settings in tasks.items()]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset, images in judged.items():
        found[dataset] = {}
        for row, predictor in predictors.items():
            scores: dict[str, Any] = {}
            if built:
                pairs = list(_predictions(predictor, images))
                for task in built:
                    scores |= judge_task(task, pairs, predictor.classes, bootstrap)
            found[dataset][row] = {
                name: None if value is None else value.model_dump(mode="json") for name, value in scores.items()
            }
    return found


def _predictions(predictor: Predictor, images: Judged) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    if isinstance(images, MeasuredImage):
        yield predict_image(predictor, images.stack), images.labels.values
        return
    for image, labels in images:  # type: ignore[union-attr]
        yield predict_labels(predictor, np.asarray(image, np.float32)[None])[0], np.asarray(labels)


def examples(
    job: SimulationJob, predictors: Mapping[str, Predictor]
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Predict what the report shows: two simulated samples and a part of every measured image.

    Yields
    ------
    name
        Of the file.
    arrays
        ``image`` and ``truth`` (y, x), and under its number what each row made of it; no truth where there is none.
    """
    from beamforge.recipes.simulations.job import TEST

    channel = job.recipe.shown_channel
    samples = job.samples(TEST)
    for number in range(min(_SIMULATED_SHOWN, len(samples))):
        image, labels = samples.arrays(number)
        found = {str(n): predict_labels(one, image[None])[0] for n, one in enumerate(predictors.values())}
        yield f"simulated {number}", {"image": image[channel], "truth": labels, **found}
    for name in job.measured_images:
        stack = job.image(name)
        truth = job.labels.values if name == "annotated" else None
        part = window_of_interest(truth, (stack.sizes["y"], stack.sizes["x"]), _LARGEST_SHOWN)
        known = {} if truth is None else {"truth": truth[part]}
        found = {str(n): predict_image(one, stack[:, *part]) for n, one in enumerate(predictors.values())}
        yield f"{name} part", {"image": stack[channel, *part].values, **known, **found}
