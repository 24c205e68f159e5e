"""The report of an adaptive recipe, put together from what its stages left."""

from __future__ import annotations

from pathlib import Path

from beamforge.evaluation import predict_labels
from beamforge.files import read_json
from beamforge.learning import read_events
from beamforge.recipes.adaptive.job import RIVALS, ROWS, START, AdaptiveJob
from beamforge.reporting import figures
from beamforge.reporting.figures.comparison import compared_predictions
from beamforge.reporting.figures.contact_sheet import Picture, contact_sheet
from beamforge.reporting.hardness import add_hardness
from beamforge.reporting.report import Cell, Report

_SHEET = 8


def write_report(job: AdaptiveJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    report = Report(job.recipe.name, job.recipe.description)
    _results(report, job)
    add_hardness(report, job.hardness())
    _chosen(report, job)
    _predictions(report, job)
    _training(report, job)
    report.section("Provenance")
    record = read_json(job.run.folder / "generator" / "provenance.json")
    report.provenance({**record, "recipe": job.recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _results(report: Report, job: AdaptiveJob) -> None:
    scores, config = job.scores(), job.recipe.sampling
    random, adaptive = (scores[row]["mean IoU"] for row in RIVALS)
    added = config.rounds * config.samples
    report.headline(
        f"Fine-tuned on {added} samples near those it failed on, the network reaches a mean IoU of {adaptive:.4f}; on "
        f"as many random samples {random:.4f}, before {scores[START]['mean IoU']:.4f}. This is one run: run it with "
        "--repeats to know whether the difference is luck.",
        {f"mean IoU, {row}": scores[row]["mean IoU"] for row in ROWS},
    )
    names = list(scores[START])
    rows: list[list[Cell]] = [[row, *(scores[row][name] for name in names)] for row in ROWS]
    published: list[list[Cell]] = [
        [f"{one.row}: {one.source}", *(one.figures.get(name) for name in names)] for one in job.recipe.published
    ]
    report.section(
        "Results",
        f"Judged on {job.recipe.samples.test} samples of the scenario that neither trained nor were scored. The hard "
        f"ones are the {100 * job.recipe.tail:g} % that the network before fine-tuning does worst on. Both rivals "
        f"start from that network and take as many steps on as many new and old samples.",
    )
    caption = "Published figures are of another network, scenario and test set." if published else ""
    report.table(["", *names], [*rows, *published], caption, highlight=[len(ROWS) - 1])


def _chosen(report: Report, job: AdaptiveJob) -> None:
    scored = job.scored()
    report.section(
        "What was chosen",
        f"Of {len(scored.scores)} fresh samples the {len(scored.chosen)} with the lowest score were varied; the worst "
        "of them are shown.",
    )
    channel = job.recipe.shown_channel
    samples = [job.scenario(scored.seed, number) for number in scored.chosen[:_SHEET]]
    pictures = [Picture(sample.image[channel], sample.labels) for sample in samples]
    figure = contact_sheet(pictures, [], job.scenario.classes, pixel_size=job.scenario.pixel_size)
    report.figure(figure, "The worst samples and their labels.", "Simulated images above their labels", simulated=True)
    rows: list[list[Cell]] = [[name, everywhere, here] for name, (everywhere, here) in job.chosen_means().items()]
    report.table(["parameter", "mean of all", "mean of the chosen"], rows, "What was drawn for them.")


def _predictions(report: Report, job: AdaptiveJob) -> None:
    test = job.samples("test")
    networks = {row: job.network(row) for row in ROWS}
    report.section("Predictions", "The first samples of the test, not chosen ones.")
    for number in range(min(2, len(test))):
        image, labels = test.arrays(number)
        found = {row: predict_labels(network, image[None])[0] for row, network in networks.items()}
        shown = image[job.recipe.shown_channel]
        figure = compared_predictions(shown, labels, found, job.scenario.classes, simulated=True)
        report.figure(figure, "Image, truth and predictions.", "A simulated image and predictions.", simulated=True)


def _training(report: Report, job: AdaptiveJob) -> None:
    folder = job.run.folder / "networks"
    events = {START: read_events(folder / START / "events.jsonl")}
    for row in RIVALS:
        for number in range(1, job.recipe.sampling.rounds + 1):
            events[f"{row}, round {number}"] = read_events(folder / row / f"round-{number}" / "events.jsonl")
    report.section("Training", "The loss on the samples trained on; those of the adaptive rounds are harder.")
    report.figure(figures.training_curves(events), "Course of the trainings.", "Loss by epoch, each training.")
