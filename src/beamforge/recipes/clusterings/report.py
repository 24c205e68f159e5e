"""The report of a clustering recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from beamforge.files import read_json
from beamforge.io import open_labels
from beamforge.recipes.clusterings.job import ClusteringJob
from beamforge.reporting import figures
from beamforge.reporting.report import Report
from beamforge.stack import IGNORE, channels_of, classes_of, is_simulated


def write_report(job: ClusteringJob) -> Path:
    """Write ``report.html`` into the run's folder and say where it is."""
    report = Report(job.recipe.name, job.recipe.description)
    _headline(report, job)
    _results(report, job)
    _measurement(report, job)
    _clusters(report, job)
    report.section("Provenance")
    record = read_json(job.run.folder / "measurement" / "provenance.json")
    report.provenance({**record, "recipe": job.recipe.model_dump(mode="json")}, job.run.seconds)
    return report.write(job.run.folder / "report.html")


def _headline(report: Report, job: ClusteringJob) -> None:
    row, found = next(iter(job.results().items()))
    pixels = job.stack().sizes["y"] * job.stack().sizes["x"]
    verdict = f"{row} groups {pixels} spectra of {job.stack().sizes['channel']} bins into {found.clusters} clusters."
    facts: dict[str, Any] = {"clusters": float(found.clusters)}
    if found.agreement is not None:
        verdict += f" {found.agreement.accuracy:.1%} of the pixels are in the cluster of their class."
        facts["adjusted Rand index"] = found.agreement.rand
    report.headline(verdict, facts)


def _results(report: Report, job: ClusteringJob) -> None:
    found = job.results()
    compared = any(one.agreement is not None for one in found.values())
    report.section(
        "Results",
        "Clusters know nothing of classes: each class is given the cluster that makes the share of right pixels "
        "largest. Both indices are 0 for groups made by chance and 1 for the same groups."
        if compared
        else "There are no labels to compare with.",
    )
    header = ["", "clusters", "inertia", *(["adjusted Rand index", "adjusted information", "accuracy"] * compared)]
    rows: list[list[Any]] = []
    for row, one in found.items():
        cells: list[Any] = [row, float(one.clusters), one.inertia]
        if compared and one.agreement is not None:
            cells += [one.agreement.rand, one.agreement.information, one.agreement.accuracy]
        rows.append([*cells, *([None] * (len(header) - len(cells)))])
    report.table(header, rows, "Every way to group; inertia is that of the spectra without positions.", highlight=[0])
    tried = {row: one.scores for row, one in found.items() if one.scores}
    for row, scores in tried.items():
        report.table(
            ["clusters", "score"], [[str(count), score] for count, score in scores.items()], f"{row}: higher is better."
        )


def _measurement(report: Report, job: ClusteringJob) -> None:
    stack, truth = job.stack(), job.truth()
    simulated = is_simulated(stack)
    report.section(
        "The spectra",
        "A phantom stands in for a measurement: cross sections of the crystals and counted neutrons."
        if simulated
        else "",
    )
    if truth is not None:
        figure = figures.measurement(stack, truth, simulated=simulated)
        report.figure(
            figure, "Some bins and the classes.", "Images of some bins beside the classes.", simulated=simulated
        )
        classes, values, labels = classes_of(truth), stack.values, truth.values
        present = [number for number in range(len(classes)) if (labels == number).any()]
        means = np.stack([
            values[:, labels == number].mean(axis=1, dtype=np.float64)
            if number in present
            else np.full(len(values), np.nan)
            for number in range(len(classes))
        ])  # fmt: skip
        figure = figures.spectra_with_edges(
            means, channels_of(stack), classes, edges=job.recipe.edges(), units=stack.attrs.get("units")
        )
        report.figure(figure, "Mean spectrum of each class, with Bragg edges.", "Mean spectra.", simulated=simulated)


def _clusters(report: Report, job: ClusteringJob) -> None:
    report.section("Clusters", "Map and spectra in the same colours; dashed lines are Bragg edges of perfect crystals.")
    for row in job.recipe.rows:
        stack = job.binned(row)
        with np.load(job.folder(row) / "spectra.npz", allow_pickle=False) as arrays:
            means, correlation = arrays["means"], arrays["correlation"]
        labels = open_labels(job.folder(row) / "labels.tif")
        figure = figures.cluster_overview(
            labels,
            means,
            channels_of(stack),
            correlation,
            edges=job.recipe.edges(),
            units=stack.attrs.get("units"),
        )
        ignored = int((labels.values == IGNORE).sum())
        left = f" {ignored} pixels lack a value and belong to none." if ignored else ""
        report.figure(figure, f"{row}.{left}", f"Map of clusters, their correlation and spectra, {row}.",
                      simulated=is_simulated(stack))  # fmt: skip
