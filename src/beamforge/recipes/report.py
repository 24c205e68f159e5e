"""The report of a run, put together from what its stages left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from beamforge.evaluation import predict_image, predict_labels
from beamforge.files import read_json
from beamforge.recipes.baselines import intensity_model
from beamforge.recipes.result import reference
from beamforge.recipes.streams import seed_for
from beamforge.reporting import figures
from beamforge.reporting.report import Report
from beamforge.stack import channels_of, classes_of

if TYPE_CHECKING:
    from beamforge.recipes.job import Job

_TILES_SHOWN = 3
_MOST_FITTED_CLASSES = 6


def write_report(job: Job) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    recipe = job.recipe
    report = Report(recipe.name, recipe.description)
    _headline(report, job)
    _results(report, job)
    _measurement(report, job)
    _intensities(report, job)
    _simulation(report, job)
    _training(report, job)
    _predictions(report, job)
    report.section("Provenance")
    record = read_json(job.run.folder / "measurements" / "provenance.json")
    report.provenance({**record, "recipe": recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _headline(report: Report, job: Job) -> None:
    matrix = job.matrix()
    main = matrix.scores[job.main]["measured"]
    verdict = (
        f"A network trained on simulations of one annotated measurement ({job.main}) reaches a Dice of "
        f"{main.dice.value:.3f} and a mean IoU of {main.mean_iou.value:.3f} on measured pixels it has not seen."
    )
    if "measured" in matrix.models:
        other = matrix.scores["measured"]["measured"].dice.value
        difference = matrix.difference(job.main, "measured", "measured")
        verdict += (
            f" Trained on the measurement itself for as many steps it reaches {other:.3f}; the difference is "
            f"{difference.value:+.3f} (95 % interval {difference.interval[0]:+.3f} to {difference.interval[1]:+.3f})."
            if difference.interval is not None
            else f" Trained on the measurement itself for as many steps it reaches {other:.3f}."
        )
    facts: dict[str, Any] = {"Dice on measured": main.dice, "mean IoU on measured": main.mean_iou}
    report.headline(verdict, facts)


def _results(report: Report, job: Job) -> None:
    matrix, recipe = job.matrix(), job.recipe
    report.section(
        "Results",
        "Rows are what was trained or fitted, columns what it was judged on. Intervals are 95 % bootstrap intervals "
        "over tiles; tiles of one image share its shading, so they are lower bounds of the uncertainty. Dice is the "
        "mean over tiles (Sathe et al. 2024, Eq. 8), IoU the mean over classes from the pixels of all tiles.",
    )
    for dataset in matrix.datasets:
        references = [reference(recipe, model, dataset) for model in matrix.models]
        published = any(references)
        rows: list[list[Any]] = []
        for model, published_scores in zip(matrix.models, references, strict=True):
            scores = matrix.scores[model][dataset]
            beside = [scores.mean_iou_tiles, published_scores or None] if published else []
            rows.append([model, scores.dice, scores.mean_iou, *beside])
        header = [
            "trained on",
            "Dice",
            "mean IoU",
            *(["IoU, mean of tiles", "published Dice / IoU"] if published else []),
        ]
        sources = ", ".join(sorted({row.source for row in recipe.references}))
        whose = f" (held-out samples of the generator {job.main})" if dataset == "simulated" else ""
        caption = f"Judged on {dataset} pixels{whose}, all rows on the same tiles." + (
            f" Published: {sources}; its simulated figures are on samples of its own generator, its IoU is a mean of "
            "tiles."
            if published
            else ""
        )
        report.table(header, rows, caption, highlight=[matrix.models.index(job.main)])
    for dataset in matrix.datasets:
        chart = [
            figures.Score(
                name=model,
                value=matrix.scores[model][dataset].mean_iou.value,
                interval=matrix.scores[model][dataset].mean_iou.interval,
                kind="network" if model in job.rows else "baseline",
            )
            for model in matrix.models
        ]
        metric = f"mean IoU on {dataset} tiles"
        report.figure(figures.score_chart(chart, metric), f"{metric}.", f"Dot chart of the {metric} of every row.")
    _per_class(report, job)


def _per_class(report: Report, job: Job) -> None:
    matrix = job.matrix()
    names = [one.name for one in matrix.scores[job.main]["measured"].per_class]
    rows: list[list[Any]] = []
    for number, name in enumerate(names):
        ious = [matrix.scores[model]["measured"].per_class[number].iou for model in matrix.models]
        rows.append([name, *(None if iou is None else f"{iou.value:.3f}" for iou in ious)])
    report.table(["class", *matrix.models], rows, "IoU of each class on the measured pixels.")
    scores = matrix.scores[job.main]["measured"]
    classes = classes_of(job.labels("unseen"))
    title = f"{job.main} on measured"
    figure = figures.confusion_matrix(scores.confusion, classes, title=title)
    report.figure(figure, "True classes (rows) and what became of them.", f"Confusion matrix of {title}.")


def _measurement(report: Report, job: Job) -> None:
    provenance = read_json(job.run.folder / "measurements" / "provenance.json")
    phantom = bool(provenance["simulated"])
    report.section(
        "The measurement",
        "A phantom stands in for a measurement: physics alone made it, no fitted curve." if phantom else "",
    )
    for name in ("annotated", "unseen"):
        figure = figures.measurement(job.stack(name), job.labels(name), simulated=phantom)
        report.figure(
            figure, f"The {name} measurement and its labels.", f"Images and labels, {name}.", simulated=phantom
        )


def _intensities(report: Report, job: Job) -> None:
    report.section("The model of the intensities", "Histograms of the annotated pixels and what was fitted to them.")
    fits = {}
    for name in job.recipe.generators:
        model = intensity_model(job.scenario(name))
        if model is not None:
            fits[name] = model.marginals
    if not fits:
        report.text("No generator fits intensities to the measurement.")
        return
    labels = job.labels("annotated")
    count = len(classes_of(labels))
    shown = np.unique(np.linspace(0, count - 1, min(count, _MOST_FITTED_CLASSES)).round().astype(int)).tolist()
    figure = figures.fitted_densities(fits, job.stack("annotated"), labels, classes=shown)
    report.figure(figure, "Fitted densities over the histograms.", "Histograms with fitted densities.")


def _simulation(report: Report, job: Job) -> None:
    report.section(
        "How good the simulation is",
        "Tiles side by side, and what a second fit, to simulated pixels, makes of each class and channel.",
    )
    names = list(job.recipe.generators)
    channel = len(channels_of(job.stack("annotated"))) // 2
    seed = seed_for(job.recipe.seed, "report")
    simulated = {
        name: [job.scenario(name)(seed, index).image[channel] for index in range(_TILES_SHOWN)] for name in names
    }
    stack = job.stack("annotated")
    figure = figures.simulated_beside_measured(
        _measured_tiles(job, channel, seed),
        simulated,
        units=stack.attrs.get("units"),
        pixel_size=stack.attrs.get("pixel_size"),
        pixel_size_unit=stack.attrs.get("pixel_size_unit", "µm"),
    )
    label = channels_of(stack)[channel].label
    report.figure(
        figure, f"Measured and simulated tiles, {label}.", f"Measured and simulated tiles of {label}.", simulated=True
    )
    for name in names:
        _refit(report, job, name)


def _measured_tiles(job: Job, channel: int, seed: int) -> list[np.ndarray]:
    from beamforge.learning.data import MeasuredTiles

    # One channel: the tiles are cut in memory, where a whole stack may not fit.
    stack = job.stack("annotated")[[channel]]
    tiles = MeasuredTiles(stack, job.labels("annotated"), job.recipe.tile, seed, _TILES_SHOWN)
    return [tiles.arrays(index)[0][0] for index in range(_TILES_SHOWN)]


def _refit(report: Report, job: Job, name: str) -> None:
    from beamforge.simulation.validation import RefitDifferences

    file = job.run.folder / "validation" / name / "differences.json"
    if not file.exists():
        return
    differences = RefitDifferences.model_validate(read_json(file))
    maps = {
        "W1 / standard deviation": differences.w1,
        "KS distance": differences.ks,
        "Δγ / |γ|": differences.delta_gamma,
        "Δη / |η|": differences.delta_eta,
        "Δε / |ε|": differences.delta_epsilon,
        "Δλ / |λ|": differences.delta_lambda,
    }
    shown = {title: values for title, values in maps.items() if np.isfinite(values).any()}
    figure = figures.class_channel_maps(shown, differences.classes, differences.channels)
    report.figure(
        figure,
        f"{name}: differences between the fit to measured and the fit to simulated pixels.",
        f"Heat maps of re-fit differences of {name}, class by channel.",
    )


def _training(report: Report, job: Job) -> None:
    from beamforge.learning import read_events

    report.section(
        "Training",
        "All networks were trained for the same number of steps. They are watched on the annotated measurement and on "
        "simulated tiles; the unseen measurement has no part in it.",
    )
    events = {row: read_events(job.run.folder / "networks" / row / "events.jsonl") for row in job.rows}
    report.figure(figures.training_curves(events), "Course of the trainings.", "Loss and Dice by epoch, each training.")


def _predictions(report: Report, job: Job) -> None:
    report.section("Predictions", "Rows are what was trained on, columns what is segmented; wrong pixels are marked.")
    figure = prediction_figure(job)
    report.figure(figure, "Image, truth, prediction and errors.", "Prediction panels of the train x evaluate matrix.")


def prediction_figure(job: Job) -> Figure:
    """Draw what the main network and the one trained on the measurement make of a simulated and the unseen image."""
    rows = [job.main, *(["measured"] if "measured" in job.rows else [])]
    stack, labels = job.stack("unseen"), job.labels("unseen")
    channel = len(channels_of(stack)) // 2
    sample = job.scenario(job.main)(seed_for(job.recipe.seed, "report"), 0)
    matrix = job.matrix()
    examples = []
    for row in rows:
        network = job.network(row)
        for dataset, image, truth, found in (
            ("simulated", sample.image[channel], sample.labels, predict_labels(network, sample.image[None])[0]),
            ("measured", stack[channel].values, labels.values, predict_image(network, stack)),
        ):
            score = f"Dice {matrix.scores[row][dataset].dice.value:.3f}"
            examples.append(
                figures.Example(image, truth, found, row, dataset, score=score, simulated=dataset == "simulated")
            )
    return figures.prediction_panels(
        examples,
        classes_of(labels),
        pixel_size=stack.attrs.get("pixel_size"),
        pixel_size_unit=stack.attrs.get("pixel_size_unit", "µm"),
    )
