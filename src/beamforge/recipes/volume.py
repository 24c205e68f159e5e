"""From a label volume to what is published about it: tables, meshes, labels and a report, in one folder."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamforge.errors import InputError, one_of
from beamforge.evaluation.volume_results import VolumeResults, check_memory, measure_volume, mesh
from beamforge.files import atomic_path, write_json
from beamforge.io import open_label_volume, open_label_writer
from beamforge.io.meshes import save_mesh
from beamforge.provenance import provenance
from beamforge.reporting import figures
from beamforge.reporting.report import Cell, Report
from beamforge.segmentation.vote import consistency_vote
from beamforge.stack import IGNORE, Classes, classes_of, is_simulated

_DRAWN_SIDE = 96
"""Voxels along the longest side of the volume that is drawn."""
_LISTED = ("equivalent_diameter", "sphericity", "elongation", "flatness")


@dataclass(frozen=True)
class MeasuredVolume:
    """What was measured and where it is.

    Attributes
    ----------
    results
        The figures.
    changed
        Voxels that the vote over slices changed; None without a vote.
    report
        The HTML report.
    files
        What else was written, by what it is.
    """

    results: VolumeResults
    changed: int | None
    report: Path
    files: dict[str, Path]


def measure_labels(
    labels: str | Path, output: str | Path, *, background: str | None = None, vote: bool = False, least: int = 8
) -> MeasuredVolume:
    """Measure a label volume and write everything into a folder.

    Parameters
    ----------
    labels
        A label volume, such as `segment` wrote.
    output
        Folder for ``results.json``, ``particles.csv``, ``labels.zarr`` (OME-Zarr), an STL and a VTK mesh of every class
        but the background, and ``report.html``.
    background
        Name of the class that is no particle; by default the first.
    vote
        Whether neighbouring slices vote first; see `beamforge.segmentation.vote.consistency_vote`.
    least
        Smaller particles, in voxels, are left out of the table.

    Raises
    ------
    InputError
        If it is no label volume or does not fit into memory.
    """
    opened = open_label_volume(labels)
    if opened.sizes["z"] < 2:
        raise InputError(f"{labels} is a single slice, expected a volume of labels (z, y, x)")
    check_memory(opened.shape)
    before = _class_numbers(opened, str(labels))
    classes = classes_of(opened)
    chosen = classes.names[0] if background is None else background
    if chosen not in classes.names:
        raise one_of("background class", chosen, classes.names)
    empty = classes.names.index(chosen)
    values = np.stack(list(consistency_vote(before, len(classes), background=empty))) if vote else before
    voxel, unit = opened.attrs.get("pixel_size", 1.0), opened.attrs.get("pixel_size_unit", "px")
    results = measure_volume(values, classes.names, background=empty, voxel=voxel, unit=unit, least=least)
    origin = provenance(simulated=is_simulated(opened), inputs=[labels], recipe={"vote": vote, "least": least})
    folder = Path(output)
    files = {
        "results": folder / "results.json",
        "particles": folder / "particles.csv",
        "labels": folder / "labels.zarr",
    }
    write_json(files["results"], {**results.model_dump(mode="json", exclude={"particles"}), "provenance": origin})
    _write_table(files["particles"], results)
    scale = {"pixel_size": voxel, "pixel_size_unit": unit} if "pixel_size" in opened.attrs else {}
    with open_label_writer(files["labels"], values.shape, classes, provenance=origin, **scale) as writer:
        for z, plane in enumerate(values):
            writer.write(plane[None], (z, 0, 0))
    for number, name in enumerate(classes.names):
        if number != empty and results.voxels[name]:
            corners, triangles = mesh(values == number)
            for ending in ("stl", "vtk"):
                files[f"{name} {ending}"] = folder / f"{name}.{ending}"
                save_mesh(folder / f"{name}.{ending}", corners * np.float32(voxel), triangles)
    changed = int((values != before).sum()) if vote else None
    report = _report(folder / "report.html", opened, values, classes, empty, results, changed, origin)
    return MeasuredVolume(results, changed, report, files)


def _class_numbers(labels: xr.DataArray, source: str) -> np.ndarray:
    values = np.asarray(labels.data)
    if values.min(initial=0) < 0 or values.max(initial=0) > IGNORE:
        raise InputError(
            f"{source} holds whole numbers from {values.min()} to {values.max()}, expected class numbers up to "
            f"{IGNORE - 1} ({IGNORE} is ignored); is it a stack of intensities? segment makes labels of it"
        )
    return values.astype(np.uint8)


def _write_table(path: Path, results: VolumeResults) -> None:
    rows = [one.model_dump() for one in results.particles]
    header = list(rows[0]) if rows else ["phase", "number"]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for row in rows:
            writer.writerow([" ".join(f"{v:g}" for v in c) if isinstance(c, tuple) else c for c in row.values()])


def _report(
    path: Path,
    labels: xr.DataArray,
    values: np.ndarray,
    classes: Classes,
    background: int,
    results: VolumeResults,
    changed: int | None,
    origin: dict[str, Any],
) -> Path:
    unit, shown = results.unit, [n for i, n in enumerate(classes.names) if i != background]
    report = Report(Path(str(labels.attrs.get("source", "volume"))).name, "Phases and particles of a label volume")
    parts = ", ".join(f"{name} {100 * results.fractions[name]:.2f} %" for name in shown)
    report.headline(f"{parts} of {' × '.join(map(str, results.shape))} voxels.", dict(results.fractions))
    report.section(
        "Phases",
        f"Lengths are in {unit}, a voxel is {results.voxel:g} {unit} wide. Surfaces are those of marching cubes on the "
        "slightly smoothed classes, parts on the border of the volume included."
        + (f" Neighbouring slices voted and changed {changed} voxels." if changed is not None else ""),
    )
    rows: list[list[Cell]] = [
        [n, results.voxels[n], results.fractions[n], results.specific_surface.get(n), len(results.of(n)) or None]
        for n in classes.names
    ]
    report.table(["", "voxels", "fraction", f"surface per volume (1/{unit})", "particles"], rows, "Every class.")
    simulated = bool(origin["simulated"])
    figure = _rendering(values, classes, background, results)
    report.figure(figure, "Surfaces of the particles.", "Three-dimensional view of the classes.", simulated=simulated)
    report.section(
        "Particles",
        "A particle is what touches, corners included, of one class. The median is followed by the quartiles. "
        "Particles at the border of the volume are cut, and are left out here.",
    )
    whole = {name: [one for one in results.of(name) if not one.cut] for name in shown}
    table: list[list[Cell]] = [
        [name, len(found), *(_quartiles([getattr(one, key) for one in found]) for key in _LISTED)]
        for name, found in whole.items()
    ]
    report.table(["", "whole particles", f"diameter ({unit})", *_LISTED[1:]], table, "Sizes and shapes.")
    sizes = {name: [one.equivalent_diameter for one in found] for name, found in whole.items()}
    if any(sizes.values()):
        colours = dict(zip(classes.names, classes.colours, strict=True))
        figure = figures.particle_distributions(sizes, colours, unit)
        report.figure(figure, "Sizes of the whole particles.", "Histogram and cumulative volume of particle diameters.")
    report.section("Provenance")
    report.provenance(origin)
    return report.write(path)


def _rendering(values: np.ndarray, classes: Classes, background: int, results: VolumeResults) -> Any:
    step = max(1, -(-max(values.shape) // _DRAWN_SIDE))
    meshes = {
        number: mesh(values == number, step)
        for number, name in enumerate(classes.names)
        if number != background and results.voxels[name]
    }
    return figures.volume_rendering(meshes, results.shape, classes, voxel=results.voxel, unit=results.unit)


def _quartiles(values: list[float | None]) -> str | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"
