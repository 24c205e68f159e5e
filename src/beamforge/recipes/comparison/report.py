"""The report of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from beamforge.io.slices import Slice
from beamforge.recipes.comparison.outcome import cost_cells, score_cells
from beamforge.recipes.comparison.recommendation import FIGURE, recommend
from beamforge.recipes.comparison.results import LEVEL, ComparisonResult, RunScores
from beamforge.reporting import figures
from beamforge.reporting.repeats import add_repeats
from beamforge.reporting.report import Cell, Report
from beamforge.stack import Classes

if TYPE_CHECKING:
    from beamforge.recipes.comparison.job import ComparisonJob

_SHOWN = 3
"""Slices shown with every row's prediction."""
_LETTERS = 30
_PRIOR = (
    " The weight of each class, by which its probability is multiplied before the most probable one is taken, is that "
    "of the highest mean IoU on the slices to choose by; so it is in every row, and the saved models hold it."
)


def write_report(job: ComparisonJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    result = job.result()
    report = Report(job.recipe.name, job.recipe.description)
    chosen = recommend(result)
    report.headline(
        f"Take {chosen.row}. {chosen.reason}",
        {FIGURE: result.mean(chosen.row, FIGURE), "time per slice (s)": result.costs[chosen.row].predict_seconds},
    )
    _table(report, job, result, chosen.row)
    if result.random_split:
        _leak(report, job, result)
    studies = [study for name in (FIGURE, "mean IoU without background") if (study := result.repeats(name))]
    add_repeats(report, studies, against=chosen.row)
    _errors(report, job, result)
    _particles(report, result)
    _vote(report, result)
    _training(report, job)
    _predictions(report, job, chosen.row)
    report.section("Provenance")
    report.provenance({**job.origin, "recipe": job.recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _table(report: Report, job: ComparisonJob, result: ComparisonResult, chosen: str) -> None:
    slices = result.slices
    report.section(
        "The comparison",
        f"Means over {len(result.seeds)} seeds with the {100 * LEVEL:g} % interval by Student's t. Every network saw "
        f"the same random tiles in the same number of steps. Annotated slices: {slices['train']} to learn from, "
        f"{slices['validation']} to choose the best epoch by, {slices['test']} that had no part in it and judge. "
        "Particle recall counts what touches in the truth and is at least half covered."
        + (_PRIOR if job.recipe.choose_prior else ""),
    )
    marked = [list(result.rows).index(chosen)]
    report.table(*score_cells(result), f"{job.recipe.name}: the recommended network is set off.", highlight=marked)
    per_class: list[list[Cell]] = [
        [row, *(result.mean(row, f"IoU {name}") for name in result.classes)] for row in result.rows
    ]
    report.table(["IoU", *result.classes], per_class, "IoU of each class from the pixels of all test slices.")
    cost = next(iter(result.costs.values()))
    report.text(
        "Training times are those of this run, validation included; the time to a mean IoU of "
        f"{result.target:g} on the validation slices ends with the first epoch that reaches it, a dash where a seed "
        f"never does. Time per slice is the median of warm runs at a batch of {cost.batch} and "
        f"{cost.size[0]}×{cost.size[1]} px on {_threads(cost.threads)} ({cost.device}); memory is the peak beyond that "
        f"of the idle process, for predicting such a batch and for a training step of {cost.train_batch} tiles of "
        f"{cost.train_tile} px."
    )
    report.table(*cost_cells(result), "What each costs.", highlight=marked)


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _leak(report: Report, job: ComparisonJob, result: ComparisonResult) -> None:
    name = job.recipe.rows[0].name
    report.section(
        "What a random split would have claimed",
        f"Neighbouring slices are almost copies, so that a random split may claim too much. Here the same network "
        f"({name}) was trained on as many slices dealt at random from the same stack and judged on the rest; what that "
        "adds is the leak. It shows where the slices apart differ from those learnt from, and less where they do not.",
    )
    report.table(
        ["split", FIGURE],
        [
            ["contiguous blocks with a gap", _mean_iou(result.networks[name], result.random_split)],
            ["at random, neighbours leak", _mean_iou(result.random_split, result.random_split)],
            ["leak", leakage(result, name)],
        ],
        f"{name}, mean over the seeds {', '.join(map(str, result.random_split))}.",
    )


def leakage(result: ComparisonResult, row: str) -> float:
    """Give by how much the mean IoU of a network under the random split exceeds that under blocks, same seeds."""
    seeds = result.random_split
    return _mean_iou(seeds, seeds) - _mean_iou(result.networks[row], seeds)


def _mean_iou(runs: Mapping[int, RunScores], seeds: Iterable[int]) -> float:
    return float(np.mean([runs[seed].scores.mean_iou.value for seed in seeds]))


def _errors(report: Report, job: ComparisonJob, result: ComparisonResult) -> None:
    report.section("Kinds of error", "Confusion of the classes as shares of each true class, all seeds together.")
    classes = Classes(names=result.classes, colours=job.slices.classes.colours)
    for row in result.rows:
        figure = figures.confusion_matrix(result.confusion(row), classes, title=row)
        report.figure(figure, f"{row}: true classes (rows) and what became of them.", f"Confusion matrix of {row}.")


def _particles(report: Report, result: ComparisonResult) -> None:
    report.section(
        "Particles",
        "A particle is what touches and is not background in the truth; it is found if at least half of it is not "
        "taken for background. Sizes are diameters of the disc of the same area, or of the ball in volumes. Counts of "
        "all seeds together.",
    )
    first = result.particles(next(iter(result.rows)))
    sizes: list[list[Cell]] = [["particles in the truth", *(float(n // len(result.seeds)) for n in first.count)]]
    others: list[list[Cell]] = []
    for row in result.rows:
        scores = result.particles(row)
        sizes.append([row, *scores.recall_by_size])
        flips = result.mean(row, "flips between slices")
        others.append([row, scores.class_accuracy, scores.composite_accuracy, scores.false / len(result.seeds), flips])
    report.table(["share found", *first.bin_names], sizes, "Recall by size.")
    header = ["", "class right", "composite with the right classes", "false particles", "flips between slices"]
    report.table(header, others, f"Of the found particles; {first.composite // len(result.seeds)} are composite.")


def _vote(report: Report, result: ComparisonResult) -> None:
    votes = {row: [run.vote for run in runs.values() if run.vote is not None] for row, runs in result.rows.items()}
    rows: list[list[Cell]] = []
    for row, found in votes.items():
        if found:
            pairs = [
                ("mean_iou", "voted_mean_iou"),
                ("class_accuracy", "voted_class_accuracy"),
                ("flip_rate", "voted_flip_rate"),
            ]
            rows.append([row, *(_average([getattr(one, key) for one in found]) for pair in pairs for key in pair)])
    if not rows:
        return
    report.section(
        "A vote over the slices",
        "Neighbouring slices vote on the class of every section of a particle (beamforge volume --vote). Sections "
        "are the particles of single slices; flips are changes of class from one slice of a true particle to the next.",
    )
    header = ["", "mean IoU", "voted", "sections of the right class", "voted", "flips", "voted"]
    report.table(header, rows, "Before and after, mean over the seeds.")


def _average(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _training(report: Report, job: ComparisonJob) -> None:
    from beamforge.learning import read_events

    seed = job.recipe.seeds[0]
    folders = {row.name: job.run.folder / "networks" / row.name / f"seed {seed}" for row in job.recipe.rows}
    events = {name: read_events(folder / "events.jsonl") for name, folder in folders.items()}
    report.section("Training", f"The trainings of seed {seed}, watched on the validation slices.")
    report.figure(figures.training_curves(events), "Course of the trainings.", "Loss and Dice by epoch, each training.")


def _predictions(report: Report, job: ComparisonJob, chosen: str) -> None:
    numbers = job.part("test")
    shown = [numbers[i] for i in np.unique(np.linspace(0, len(numbers) - 1, _SHOWN).astype(int))]
    seed, classes = job.recipe.seeds[0], job.judged.classes
    beside = [chosen, *job.recipe.classical[:1]]
    examples = [
        figures.Example(
            job.judged.image(number)[0],
            job.judged.labels(number),
            job.predicted(row, seed, number),
            row,
            job.judged.slices[number].name,
            title=row,
            score=_short_name(job.judged.slices[number], ordered=job.judged.ordered),
            simulated=job.origin["simulated"],
        )
        for row in beside
        for number in shown
    ]
    report.section("Predictions", "Test slices (columns) by row; wrong pixels are marked.")
    figure = figures.prediction_panels(examples, classes)
    report.figure(figure, "Image, truth, prediction and errors.", "Prediction panels of some test slices.")


def _short_name(one: Slice, *, ordered: bool) -> str:
    """Name a slice in as many letters as a third of the page has room for."""
    if not ordered:
        return one.name if len(one.name) <= _LETTERS else f"{one.name[: _LETTERS - 1]}…"
    parts = [one.volume and f"volume {one.volume}", one.part and f"part {one.part}", f"slice {one.z}"]
    return ", ".join(part for part in parts if part)
