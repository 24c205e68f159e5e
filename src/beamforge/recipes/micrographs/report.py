"""The report of a recipe for micrographs, put together from what its stages left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from beamforge.evaluation.micrographs import BOUNDARY
from beamforge.files import read_json
from beamforge.learning import read_events
from beamforge.recipes.micrographs.job import MEASURED, SIMULATED, MicrographJob, events_file
from beamforge.recipes.micrographs.judging import Found
from beamforge.reporting import figures
from beamforge.reporting.figures.micrographs import boundary_overlays, micrograph_sheet
from beamforge.reporting.report import Report

_SHEET = 4
_SIDE = 640
"""Side in px of what is shown of a user's picture."""
_WHERE = {SIMULATED: "held-out simulated samples", MEASURED: "annotated pictures of other micrographs"}


def write_report(job: MicrographJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    report = Report(job.recipe.name, job.recipe.description)
    _headline(report, job)
    _results(report, job)
    _sheet(report, job)
    _predictions(report, job)
    _pictures(report, job)
    report.section("Training", "Trainings are watched on simulated samples that neither train nor judge.")
    events = {
        f"{row}, network {number + 1}" if job.recipe.members > 1 else row: read_events(
            job.run.folder / "networks" / row / events_file(number)
        )
        for row in job.networks
        for number in range(job.recipe.members)
    }
    report.figure(figures.training_curves(events), "Course of the trainings.", "Loss and Dice by epoch, each training.")
    report.section("Provenance")
    record = read_json(job.run.folder / "pictures" / "provenance.json")
    report.provenance({**record, "recipe": job.recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _headline(report: Report, job: MicrographJob) -> None:
    tables = job.scores()
    dataset = MEASURED if MEASURED in tables else SIMULATED
    table = tables[dataset]
    best = table[job.main]
    verdict = (
        f"Trained on simulation alone, boundaries are found with an F of {best.f.value:.3f} at {best.tolerance:g} px "
        f"and a mean IoU of {best.mean_iou.value:.3f} on {_WHERE[dataset]}."
    )
    if job.few:
        tuned = table[job.fine_tuned]
        verdict += f" With {len(job.few)} annotated pictures: {tuned.f.value:.3f} and {tuned.mean_iou.value:.3f}."
    facts = {"pictures judged on": str(best.pictures), "micrographs": str(best.micrographs)}
    report.headline(verdict, {f"boundary F, {best.tolerance:g} px": best.f, "mean IoU": best.mean_iou, **facts})


def _results(report: Report, job: MicrographJob) -> None:
    report.section(
        "Results",
        "F, precision and recall compare skeletons; mean IoU and pixel error depend mostly on how wide "
        "boundaries are drawn. Intervals are 95 % bootstrap intervals over micrographs. Filters are tuned on "
        "simulated samples. Splits and merges are the two parts of the variation of information, in bits. Grains are "
        "numbered by flooding the probability of a boundary, so that a gap in one joins no grains; intercepts are "
        "counted on the boundaries themselves.",
    )
    for dataset, table in job.scores().items():
        rows: list[list[Any]] = [
            [row, s.f, s.precision, s.recall, s.mean_iou, s.pixel_error] for row, s in table.items()
        ]
        header = ["", "F", "precision", "recall", "mean IoU", "pixel error"]
        report.table(header, rows, f"Boundaries, judged on {_WHERE[dataset]}.", highlight=[0])
        grains: list[list[Any]] = [
            [row, s.adapted_rand_error, s.false_splits, s.false_merges, s.grains_predicted, s.intercept_predicted]
            for row, s in table.items()
        ]
        truth = next(iter(table.values()))
        grains.append(["truth", None, None, None, truth.grains_true, truth.intercept_true])
        header = ["", "adapted Rand error", "false splits", "false merges", "grains", "mean intercept (px)"]
        report.table(header, grains, f"Grains, judged on {_WHERE[dataset]}; counts and intercepts by ASTM E112.")


def _sheet(report: Report, job: MicrographJob) -> None:
    report.section("What was simulated", "Samples that no network was trained on, beside pictures where there are any.")
    parts = job.judged_parts()
    measured = job.look or parts.get(MEASURED, [])
    step = max(1, len(measured) // _SHEET)
    rows = {"measured": [_cut(picture.image, job.recipe.tile) for picture in measured[::step][:_SHEET]]}
    simulated = [picture.image for picture in parts[SIMULATED]]
    rows |= {"simulated": simulated[:_SHEET], "simulated ": simulated[_SHEET : 2 * _SHEET]}
    figure = micrograph_sheet({name: images for name, images in rows.items() if images})
    report.figure(figure, "Measured and simulated micrographs.", "Rows of micrographs.", simulated=True)


def _predictions(report: Report, job: MicrographJob) -> None:
    report.section("Predictions", "Boundaries that each row finds, beside the truth.")
    tolerance = job.recipe.tolerance
    for dataset, pictures in job.judged_parts().items():
        for file in sorted((job.run.folder / "evaluation" / dataset).glob("*.npz")):
            picture = pictures[int(file.stem)]
            with np.load(file, allow_pickle=False) as arrays:
                found = {row: arrays[str(number)] == 1 for number, row in enumerate(job.predictors())}
            truth = None if picture.labels is None else picture.labels == 1
            figure = boundary_overlays(picture.image, found, truth, tolerance)
            what = f"{picture.name}, {_WHERE[dataset]}"
            report.figure(figure, f"{what}.", f"Boundaries found in {what}.", simulated=dataset == SIMULATED)


def _pictures(report: Report, job: MicrographJob) -> None:
    sizes = read_json(job.run.folder / "segmentation" / "grains.json")
    if not sizes:
        return
    report.section("Your pictures", "Their labels, and their grains by number, lie in the folder segmentation.")
    columns = ("grains", "mean_area_px", "mean_intercept_px", "median_diameter_px")
    header = ["", "grains", "mean area (px)", "mean intercept (px)", "median diameter (px)"]
    caption = "Grain sizes; intercepts by the boundaries that lines cross."
    report.table(header, [[name, *(row[column] for column in columns)] for name, row in sizes.items()], caption)
    for picture in job.images[:_SHEET]:
        found = Found.read(job.run.folder / "segmentation", picture)
        lines = {"boundaries found": found.labels == BOUNDARY, "numbered grains": found.seams}
        shown = {name: mask[:_SIDE, :_SIDE] for name, mask in lines.items()}
        figure = boundary_overlays(_cut(picture.image, _SIDE), shown, None, job.recipe.tolerance)
        report.figure(figure, f"{picture.name}, its upper left corner.", f"Boundaries found in {picture.name}.")


def _cut(image: np.ndarray[Any, Any], side: int) -> np.ndarray[Any, Any]:
    return image[:, :side, :side]
