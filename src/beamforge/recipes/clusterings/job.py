"""A clustering recipe at work: one method a stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from beamforge.classical.clustering import cluster
from beamforge.errors import InputError
from beamforge.evaluation.clusters import agreement
from beamforge.files import read_json, write_json
from beamforge.io import open_labels, open_stack, save_labels, save_stack
from beamforge.provenance import provenance
from beamforge.recipes.clusterings.outcome import RowResult
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.kinds.clustering import SpectraFiles
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import stream
from beamforge.reduction.binning import bin_channels
from beamforge.simulation.phantoms.time_of_flight import measure as measure_phantom
from beamforge.stack import is_simulated

if TYPE_CHECKING:
    from beamforge.recipes.kinds.clustering import ClusteringRecipe


@dataclass(frozen=True)
class ClusteringJob:
    """A recipe at work in a run folder."""

    recipe: ClusteringRecipe
    run: Run

    def measure(self) -> None:
        """Measure the phantom and keep it; files are read where they are, only their labels are kept."""
        source, places, recipe = self.recipe.annotated, self.recipe.places, self.recipe
        files = []
        if isinstance(source, SpectraFiles):
            files = [places.find(path) for path in (source.stack, source.labels) if path is not None]
        settings = {
            "source": source.model_dump(mode="json"),
            "files": fingerprint(files),
            "seed": recipe.seed,
        }

        def make(folder: Path, _: Path) -> None:
            origin = provenance(simulated=not isinstance(source, SpectraFiles), inputs=files, seed=recipe.seed)
            write_json(folder / "provenance.json", origin)
            if not isinstance(source, SpectraFiles):
                stack, labels = measure_phantom(source.settings, stream(recipe.seed, "phantom"))
                save_stack(folder / "stack.zarr", stack, provenance=origin)
                save_labels(folder / "labels.tif", labels, provenance=origin)
            elif source.labels is not None:
                labels = open_labels(
                    places.find(source.labels),
                    classes=source.classes,
                    legend=source.legend,
                    unlabelled=source.unlabelled,
                    stack=open_stack(places.find(source.stack)),
                )
                save_labels(folder / "labels.tif", labels, provenance=origin)

        self.run.stage("measurement", settings, [], make)

    def stack(self) -> xr.DataArray:
        """Open the spectra, with their wavelengths where the recipe gives them."""
        source = self.recipe.annotated
        own = self.run.folder / "measurement" / "stack.zarr"
        stack = open_stack(self.recipe.places.find(source.stack) if isinstance(source, SpectraFiles) else own)
        if self.recipe.wavelengths is None:
            return stack
        if stack.sizes["channel"] < 2:
            raise InputError("wavelengths were given for a stack of one channel; a spectrum has at least two bins")
        along = np.linspace(*self.recipe.wavelengths, stack.sizes["channel"])
        return stack.assign_coords(wavelength=("channel", along))

    def truth(self) -> xr.DataArray | None:
        """Open the labels, if there are any."""
        file = self.run.folder / "measurement" / "labels.tif"
        return open_labels(file) if file.exists() else None

    def binned(self, row: str) -> xr.DataArray:
        """Give the stack with the channels averaged that a row averages."""
        bins = self.recipe.rows[row].bins
        return self.stack() if bins == 1 else bin_channels(self.stack(), bins)

    def folder(self, row: str) -> Path:
        """Say where the results of a row are."""
        return self.run.folder / "clusters" / row

    def group(self, row: str) -> None:
        """Group the pixels in one way."""
        recipe, settings = self.recipe, self.recipe.rows[row]

        def make(folder: Path, _: Path) -> None:
            stack, truth = self.binned(row), self.truth()
            found = cluster(
                stack,
                recipe.count if settings.count is None else settings.count,
                stream(recipe.seed, f"clusters {row}"),
                method=settings.method,
                position_weight=settings.position,
                most=recipe.most,
                restarts=recipe.restarts,
            )
            origin = provenance(simulated=is_simulated(stack), seed=recipe.seed, recipe=settings.model_dump())
            found.save(folder, provenance=origin)
            np.savez(folder / "spectra.npz", allow_pickle=False, means=found.centroids, correlation=found.correlation)
            compared = None if truth is None else agreement(found.labels.values, truth.values)
            result = RowResult(
                clusters=len(found.sizes), inertia=found.inertia, scores=found.scores, agreement=compared
            )
            write_json(folder / "result.json", result.model_dump(mode="json"))

        shared = {"count": recipe.count, "most": recipe.most, "restarts": recipe.restarts, "seed": recipe.seed}
        config = {**shared, "row": settings.model_dump(mode="json")}
        self.run.stage(f"clusters/{row}", config, ["measurement"], make)

    def results(self) -> dict[str, RowResult]:
        """Read what each row found."""
        return {row: RowResult.model_validate(read_json(self.folder(row) / "result.json")) for row in self.recipe.rows}
