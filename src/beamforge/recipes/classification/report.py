"""The report of a classification recipe, put together from what its stages left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from beamforge.files import read_json
from beamforge.io import open_picture
from beamforge.learning import read_events
from beamforge.recipes.classification.classified import read_tiles
from beamforge.recipes.classification.job import MEASURED, SIMULATED, ClassificationJob
from beamforge.reporting import figures
from beamforge.reporting.figures.contact_sheet import Picture, contact_sheet
from beamforge.reporting.figures.maps import confusion_matrix
from beamforge.reporting.figures.marked_tiles import MarkedPicture, marked_tiles
from beamforge.reporting.report import Report

_SHEET = 12
_WRONG = 8
_OWN_PICTURES, _OWN_ROWS = 6, 20
_WHERE = {SIMULATED: "held-out simulated tiles", MEASURED: "tiles of held-out pictures"}


def write_report(job: ClassificationJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    report = Report(job.recipe.name, job.recipe.description)
    _headline(report, job)
    _results(report, job)
    _simulation(report, job)
    _mistakes(report, job)
    if job.images:
        _own_pictures(report, job)
    _training(report, job)
    report.section("Provenance")
    record = read_json(job.run.folder / "pictures" / "provenance.json")
    report.provenance({**record, "recipe": job.recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _headline(report: Report, job: ClassificationJob) -> None:
    dataset = job.datasets[-1]
    rows = job.judged()[dataset]
    best = job.recipe.rows[-1]
    free, marked = job.recipe.generator.classes
    missed = 1.0 - rows[best].recall
    verdict = (
        f"On {_WHERE[dataset]}, the {best} network finds {1.0 - missed[1]:.0%} of the {marked} tiles and takes "
        f"{missed[0]:.1%} of the {free} ones for {marked}; the mean of both errors is {rows[best].balanced_error:.1%}."
    )
    for row in job.recipe.rows[:-1]:
        verdict += f" {row.capitalize()}: {rows[row].balanced_error:.1%}."
    report.headline(verdict, {f"error on {_WHERE[dataset]}": rows[best].error, "tiles": str(rows[best].tiles)})


def _results(report: Report, job: ClassificationJob) -> None:
    several = (
        "Synthetic: trained on simulated tiles alone. Real: on tiles of annotated pictures. Mixed: synthetic, trained "
        "on with the same real tiles. Intervals of the error are Agresti and Coull's, which take tiles as independent; "
        "tiles of one picture are not, so that they are too narrow where few pictures judge."
    )
    alone = (
        "The network was trained on simulated tiles and is judged on others of the same scenario. What it does on "
        "pictures of your own is not known before it is judged on some with masks. Intervals of the error are Agresti "
        "and Coull's."
    )
    report.section(
        "Results",
        f"{several if MEASURED in job.datasets else alone} The balanced error is the mean over the classes of the "
        "share of their tiles that was missed: look at that one where most tiles are of one class.",
    )
    classes = job.recipe.generator.named_classes
    for dataset, rows in job.judged().items():
        table: list[list[Any]] = []
        for row, scores in rows.items():
            recalls = [None if np.isnan(value) else f"{value:.3f}" for value in scores.recall]
            table.append([row, scores.error, f"{scores.balanced_error:.3f}", *recalls])
        first = next(iter(rows.values()))
        header = ["", "error", "balanced error", *(f"found of {name}" for name in classes.names)]
        report.table(header, table, f"Judged on {first.tiles} {_WHERE[dataset]}.")
    last = job.judged()[job.datasets[-1]][job.recipe.rows[-1]]
    caption = f"What the {job.recipe.rows[-1]} network takes for what, on {_WHERE[job.datasets[-1]]}."
    report.figure(confusion_matrix(last.confusion, classes), caption, caption)


def _simulation(report: Report, job: ClassificationJob) -> None:
    samples = job.samples("test")
    simulated = [Picture(image[0], labels) for image, labels in map(samples.arrays, range(min(_SHEET, len(samples))))]
    measured = []
    if MEASURED in job.datasets:
        tiles = job.tiles(MEASURED)
        truth = next(iter(job.judged()[MEASURED].values())).truth
        chosen = np.concatenate([np.flatnonzero(truth == number)[: _SHEET // 2] for number in (1, 0)])
        for number in chosen.tolist():
            sample = tiles.images.sample(number)
            measured.append(Picture(sample.image[0], sample.labels))
    beside = " Under them stand tiles of the pictures that were held out." if measured else ""
    report.section("What was simulated", f"Tiles that no network was trained on, with their labels.{beside}")
    figure = contact_sheet(simulated, measured, job.scenario.classes, across=6)
    alt = "Simulated tiles above their labels" + (", measured tiles under them" if measured else "")
    report.figure(figure, f"{alt}.", alt, simulated=True)


def _mistakes(report: Report, job: ClassificationJob) -> None:
    dataset, row = job.datasets[-1], job.recipe.rows[-1]
    scores, tiles = job.judged()[dataset][row], job.tiles(dataset)
    wrong = scores.misclassified()[:_WRONG]
    report.section(
        "Mistakes",
        f"Of {len(scores.misclassified())} wrong ones among {scores.tiles} {_WHERE[dataset]}, those of which the {row} "
        "network was surest.",
    )
    if not wrong:
        report.text("There is none.")
        return
    samples = [tiles.images.sample(number) for number in wrong]
    found = scores.probabilities[wrong]
    titles = [
        f"{scores.classes[place]}? ({share:.2f})" for place, share in zip(found.argmax(1), found.max(1), strict=True)
    ]
    pictures = [Picture(sample.image[0], sample.labels, title) for sample, title in zip(samples, titles, strict=True)]
    caption = "What each tile was taken for, with its probability, and below what its labels are."
    simulated = dataset == SIMULATED
    sheet = contact_sheet(pictures if simulated else [], [] if simulated else pictures, job.scenario.classes)
    report.figure(sheet, caption, caption, simulated=simulated)


def _own_pictures(report: Report, job: ClassificationJob) -> None:
    classes, row = job.recipe.generator.named_classes, job.recipe.rows[-1]
    wanted = classes.names[1]
    by_file = read_tiles(job.tile_table)
    surest = {file: max(tile.probabilities[1] for tile in tiles) for file, tiles in by_file.items()}
    order = sorted(by_file, key=lambda file: -surest[file])
    marked = {file: [tile.corner for tile in by_file[file] if tile.name == wanted] for file in order}
    some = sum(bool(corners) for corners in marked.values())
    report.section(
        "Pictures without masks",
        f"The {row} network calls tiles of {some} of {len(order)} pictures {wanted}. All tiles are in "
        f"{job.tile_table.relative_to(job.run.folder)}.",
    )
    if job.recipe.pictures is None:
        report.note(
            "The network was trained and judged on simulation alone. How often it is wrong on these pictures is not "
            "known: look at some tiles of either class, or give pictures with masks."
        )
    shown = [
        MarkedPicture(Path(file).name, open_picture(file).values[0], marked[file]) for file in order[:_OWN_PICTURES]
    ]
    caption = f"The pictures with the most probable {wanted} first; tiles called {wanted} are outlined."
    report.figure(marked_tiles(shown, job.recipe.tile, classes.colours[1]), caption, caption)
    table: list[list[Any]] = [
        [Path(file).name, f"{len(marked[file])} of {len(by_file[file])}", f"{surest[file]:.3f}"]
        for file in order[:_OWN_ROWS]
    ]
    first = f", the first {_OWN_ROWS} of {len(order)}" if len(order) > _OWN_ROWS else ""
    report.table(["picture", f"tiles called {wanted}", f"highest p({wanted})"], table, f"In the same order{first}.")


def _training(report: Report, job: ClassificationJob) -> None:
    report.section(
        "Training", "Networks are watched on simulated tiles that neither train nor judge; no choice rests on them."
    )
    events = {row: read_events(job.run.folder / "networks" / row / "events.jsonl") for row in job.recipe.rows}
    report.figure(
        figures.training_curves(events, scores={"error": "share of wrong tiles"}),
        "Course of the trainings; rings mark the best epochs by the mean F1 of the classes.",
        "Loss and share of wrong tiles by epoch, each training.",
    )
