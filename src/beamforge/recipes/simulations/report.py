"""The report of a simulation recipe, put together from what its stages left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from beamforge.files import read_json
from beamforge.learning import read_events
from beamforge.recipes.simulations.job import ANNOTATED, MEASURED, SIMULATED, TEST, SimulationJob
from beamforge.recipes.simulations.measured import window_of_interest
from beamforge.reporting import figures
from beamforge.reporting.figures.comparison import compared_predictions
from beamforge.reporting.figures.contact_sheet import Picture, contact_sheet
from beamforge.reporting.pictures import pixel_size_of
from beamforge.reporting.report import Report

_SHEET = 8
_MEASURED_SHOWN = 4


def write_report(job: SimulationJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    report = Report(job.recipe.name, job.recipe.description)
    _headline(report, job)
    _results(report, job)
    _simulation(report, job)
    _predictions(report, job)
    _training(report, job)
    report.section("Provenance")
    record = read_json(job.run.folder / "generator" / "provenance.json")
    inputs = record["inputs"] | read_json(job.run.folder / "measurements" / "provenance.json")["inputs"]
    recipe = job.recipe.model_dump(mode="json")
    report.provenance({**record, "inputs": inputs, "recipe": recipe}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _headline(report: Report, job: SimulationJob) -> None:
    matrix, tasks = job.matrix(), job.task_scores()
    dataset = MEASURED if MEASURED in matrix.datasets else SIMULATED
    where = "the annotated measurement" if dataset == MEASURED else "held-out simulated samples"
    own = {name: value for name, value in tasks[dataset][job.main].items() if value is not None}
    figure, best = next(iter(own.items()), ("mean IoU", matrix.scores[job.main][dataset].mean_iou))
    verdict = f"Trained on simulation alone, {job.main} reaches {best.value:.3f} ({figure}) on {where}."
    others = {
        name: tasks[dataset][name].get(figure) or matrix.scores[name][dataset].mean_iou for name in job.recipe.baselines
    }
    if others:
        beside = ", ".join(f"{name} {other.value:.3f}" for name, other in others.items())
        verdict += f" Without a network: {beside}."
    facts: dict[str, Any] = {f"{figure} on {where}": best, f"Dice on {where}": matrix.scores[job.main][dataset].dice}
    report.headline(verdict, facts)


def _results(report: Report, job: SimulationJob) -> None:
    matrix, tasks = job.matrix(), job.task_scores()
    report.section(
        "Results",
        "Networks were trained on simulated samples; classical methods were fitted to other simulated samples. "
        "Intervals are 95 % bootstrap intervals over images, or over tiles of the measurement. Dice is the mean over "
        "images, IoU the mean over classes from all pixels.",
    )
    for dataset in matrix.datasets:
        names = list(dict.fromkeys(name for row in tasks[dataset].values() for name in row))
        rows: list[list[Any]] = []
        for row in matrix.models:
            overlap = matrix.scores[row][dataset]
            rows.append([row, *(tasks[dataset][row].get(name) for name in names), overlap.mean_iou, overlap.dice])
        what = "held-out simulated samples" if dataset == SIMULATED else "the annotated measurement"
        report.table(["", *names, "mean IoU", "Dice"], rows, f"Judged on {what}.", highlight=[0])
        metric, chart = _chart(job, dataset, names)
        report.figure(figures.score_chart(chart, metric), f"{metric}.", f"Dot chart of the {metric} of every row.")
    _per_class(report, job)


def _chart(job: SimulationJob, dataset: str, names: list[str]) -> tuple[str, list[figures.Score]]:
    matrix, tasks = job.matrix(), job.task_scores()
    chart = []
    for row in matrix.models:
        value = tasks[dataset][row][names[0]] if names else matrix.scores[row][dataset].mean_iou
        if value is not None:
            kind: Any = "network" if row in job.recipe.rows else "baseline"
            chart.append(figures.Score(name=row, value=value.value, interval=value.interval, kind=kind))
    return f"{names[0] if names else 'mean IoU'} on {dataset} images", chart


def _per_class(report: Report, job: SimulationJob) -> None:
    matrix = job.matrix()
    dataset = matrix.datasets[-1]
    rows: list[list[Any]] = []
    for number, name in enumerate(job.scenario.classes.names):
        ious = [matrix.scores[model][dataset].per_class[number].iou for model in matrix.models]
        rows.append([name, *(None if iou is None else f"{iou.value:.3f}" for iou in ious)])
    report.table(["class", *matrix.models], rows, f"IoU of each class on {dataset} images.")


def _simulation(report: Report, job: SimulationJob) -> None:
    pictures = []
    samples, channel = job.samples(TEST), job.recipe.shown_channel
    for number in range(min(_SHEET, len(samples))):
        image, labels = samples.arrays(number)
        pictures.append(Picture(image[channel], labels))
    measured = []
    side = int(np.max(np.shape(pictures[0].image)))
    for name in list(job.measured_images)[:_MEASURED_SHOWN]:
        stack = job.image(name)
        truth = job.labels.values if name == ANNOTATED else None
        part = window_of_interest(truth, (stack.sizes["y"], stack.sizes["x"]), side)
        measured.append(Picture(stack[channel, *part].values, None if truth is None else truth[part]))
    beside = " Parts of the measured images stand below them, at the same number of pixels." if measured else ""
    report.section("What was simulated", f"Samples that no network was trained on, with their labels.{beside}")
    size = job.scenario.pixel_size
    figure = contact_sheet(pictures, measured, job.scenario.classes, pixel_size=size)
    alt = "Simulated images above their labels" + (", measured images under them" if measured else "")
    report.figure(figure, f"{alt}.", alt, simulated=True)


def _predictions(report: Report, job: SimulationJob) -> None:
    matrix, tasks = job.matrix(), job.task_scores()
    report.section("Predictions", "What each row makes of the same image. Scores are those of all images.")
    for name, arrays in job.examples():
        source = name.rpartition(" part ")[0]
        scores = tasks.get(source, {})
        found = {}
        for number, row in enumerate(matrix.models):
            first = next(((n, v) for n, v in scores.get(row, {}).items() if v is not None), None)
            found[row if first is None else f"{row}\n{first[0]} {first[1].value:.3f}"] = arrays[str(number)]
        simulated = source == SIMULATED
        what = {SIMULATED: "a simulated sample", MEASURED: "the annotated measurement", **job.measured_images}[source]
        classes = job.scenario.classes
        size, unit = (job.scenario.pixel_size, "µm") if simulated else _pixel_size(job, source)
        figure = compared_predictions(
            arrays["image"], arrays.get("truth"), found, classes,
            simulated=simulated, pixel_size=size, pixel_size_unit=unit,
        )  # fmt: skip
        report.figure(figure, f"Predictions for {what}.", f"Image and predictions for {what}.", simulated=simulated)


def _pixel_size(job: SimulationJob, source: str) -> tuple[float | None, str]:
    return pixel_size_of(job.image(ANNOTATED if source == MEASURED else source))


def _training(report: Report, job: SimulationJob) -> None:
    report.section(
        "Training", "Networks are watched on simulated samples that neither train nor judge; no measured pixel is used."
    )
    events = {row: read_events(job.run.folder / "networks" / row / "events.jsonl") for row in job.recipe.rows}
    report.figure(figures.training_curves(events), "Course of the trainings.", "Loss and Dice by epoch, each training.")
