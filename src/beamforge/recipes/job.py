"""The main job: from one annotated measurement to a judged segmenter."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from beamforge.files import read_json, sha256, write_json
from beamforge.io import open_labels, open_stack, save_labels, save_stack
from beamforge.predictor import Predictor
from beamforge.provenance import provenance
from beamforge.recipes.baselines import fit_baselines, load_baselines
from beamforge.recipes.fingerprint import fingerprint, parts_of
from beamforge.recipes.generators import fit_scenario
from beamforge.recipes.kinds.measurement import MeasurementRecipe
from beamforge.recipes.measurements import Measured, check_comparable
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.simulation import Scenario

if TYPE_CHECKING:
    from beamforge.evaluation import Matrix
    from beamforge.learning.data import LabelledImages

MEASURED = "measured"
"""Name of the row trained on the annotated measurement, and of the column judged on the unseen one."""
SIMULATED = "simulated"
"""Name of the column judged on held-out simulated tiles."""
TEST, VALIDATION = "samples.zarr", "validation.zarr"
"""Simulated tiles to judge on, and those that trainings are watched with."""


@dataclass(frozen=True)
class Job:
    """A recipe at work in a run folder; every method is one stage."""

    recipe: MeasurementRecipe
    run: Run

    def measure(self) -> None:
        """Load or reduce the measurements, split a single one, and keep them as the later stages read them."""
        recipe = self.recipe
        places = recipe.places
        sources = {"annotated": recipe.annotated, "unseen": recipe.unseen}
        settings = {
            "sources": {name: one.model_dump(mode="json") for name, one in sources.items() if one is not None},
            "files": {name: fingerprint(one.files(places)) for name, one in sources.items() if one is not None},
            "seed": recipe.seed,
            "holdout": recipe.holdout.model_dump() if recipe.unseen is None else None,
        }

        def make(folder: Path, _: Path) -> None:
            annotated = recipe.annotated.load(places, stream(recipe.seed, "annotated"))
            if recipe.unseen is not None:
                unseen = recipe.unseen.like(recipe.annotated, annotated.labels, places).load(
                    places, stream(recipe.seed, "unseen")
                )
                check_comparable(annotated, unseen)
            else:
                annotated, unseen = self._split(annotated)
            paths = {path for one in sources.values() if one is not None for path in one.files(places)}
            inputs = sorted({part for path in paths for part in parts_of(path)})
            simulated = annotated.simulated or unseen.simulated
            origin = provenance(simulated=simulated, inputs=inputs, seed=recipe.seed)
            for name, one in (("annotated", annotated), ("unseen", unseen)):
                # A held-out part shares its stack with the annotated one.
                if name == "annotated" or recipe.unseen is not None:
                    save_stack(folder / name / "stack.zarr", one.stack, provenance=origin)
                save_labels(folder / name / "labels.tif", one.labels, provenance=origin)
            write_json(folder / "provenance.json", origin)

        self.run.stage("measurements", settings, [], make)

    def _split(self, measured: Measured) -> tuple[Measured, Measured]:
        from beamforge.learning.tiles import spatial_split

        holdout = self.recipe.holdout
        rng = stream(self.recipe.seed, "holdout")
        learn, judge = spatial_split(measured.labels, holdout.fraction, holdout.block, rng, guard=holdout.guard)
        return (
            Measured(measured.stack, learn, measured.simulated),
            Measured(measured.stack, judge, measured.simulated),
        )

    def stack(self, name: str) -> xr.DataArray:
        """Open the stack of the ``annotated`` or the ``unseen`` measurement."""
        folder = self.run.folder / "measurements"
        own = folder / name / "stack.zarr"
        return open_stack(own if own.exists() else folder / "annotated" / "stack.zarr")

    def labels(self, name: str) -> xr.DataArray:
        """Open the labels of the ``annotated`` or the ``unseen`` measurement."""
        return open_labels(self.run.folder / "measurements" / name / "labels.tif")

    @property
    def origin(self) -> dict[str, Any]:
        """Where the measurements come from."""
        return dict(read_json(self.run.folder / "measurements" / "provenance.json"))

    def fit(self, name: str) -> None:
        """Fit a generator to the annotated measurement."""
        settings = self.recipe.generators[name]

        def make(folder: Path, _: Path) -> None:
            rng = stream(self.recipe.seed, f"fit {name}")
            scenario = fit_scenario(
                name, settings, self.stack("annotated").load(), self.labels("annotated"), self.recipe.tile, rng
            )
            scenario.save(folder / "scenario")

        config = {"generator": settings.model_dump(mode="json"), "tile": self.recipe.tile, "seed": self.recipe.seed}
        self.run.stage(f"generators/{name}", config, ["measurements"], make)

    def scenario(self, name: str) -> Scenario:
        """Read a fitted generator."""
        return Scenario.load(self.run.folder / "generators" / name / "scenario")

    def validate(self, name: str) -> None:
        """Simulate with a generator, fit again, and keep the differences."""
        from beamforge.recipes.validation import refit

        def make(folder: Path, _: Path) -> None:
            differences = refit(self.scenario(name), stream(self.recipe.seed, f"validate {name}"))
            if differences is not None:
                write_json(folder / "differences.json", differences.model_dump(mode="json"))

        self.run.stage(f"validation/{name}", {"seed": self.recipe.seed}, [f"generators/{name}"], make)

    @cached_property
    def main(self) -> str:
        """The generator whose held-out samples are the simulated column and whose network segments."""
        return next(iter(self.recipe.generators))

    def simulate_test(self) -> None:
        """Write the simulated tiles to judge on, and others to watch trainings with: who chooses must not judge."""
        from beamforge.simulation.dataset import write_dataset

        count = self.recipe.evaluation.simulated_tiles
        purposes = {TEST: "held-out simulation", VALIDATION: "simulation to validate on"}
        seeds = {file: seed_for(self.recipe.seed, purpose) for file, purpose in purposes.items()}

        def make(folder: Path, scratch: Path) -> None:
            for file, seed in seeds.items():
                write_dataset(self.scenario(self.main), scratch / file, count, seed)
            for file in seeds:
                shutil.move(scratch / file, folder / file)

        self.run.stage("simulated", {"count": count, "seeds": seeds}, [f"generators/{self.main}"], make)

    @property
    def rows(self) -> list[str]:
        """Names of the networks."""
        return [*self.recipe.generators, *([MEASURED] if self.recipe.measured_row is not None else [])]

    def train(self, row: str) -> None:
        """Train a network, on a generator's samples or on tiles of the annotated measurement."""
        from beamforge.learning import train

        recipe = self.recipe
        after = ["measurements", "simulated"] + ([f"generators/{row}"] if row != MEASURED else [])
        config = {
            "network": recipe.network.what_decides(),
            "training": recipe.training.what_decides(),
            "seed": recipe.seed,
            "tile": recipe.tile,
            "measured_row": recipe.measured_row.model_dump() if row == MEASURED and recipe.measured_row else None,
        }

        def make(folder: Path, scratch: Path) -> None:
            work = scratch / "training"
            train(
                recipe.network,
                recipe.training,
                self._training_data(row),
                self._validation_data(),
                work,
                simulated=row != MEASURED or self.origin["simulated"],
                origin={"trained_on": row, "run_seed": recipe.seed, "measurement": self.origin},
            )
            shutil.move(work / "model", folder / "model")
            shutil.move(work / "events.jsonl", folder / "events.jsonl")

        self.run.stage(f"networks/{row}", config, after, make)

    def _training_data(self, row: str) -> LabelledImages:
        from beamforge.learning.data import MeasuredTiles, Part, SimulatedDataset

        recipe = self.recipe
        length = recipe.training.batch * (recipe.training.steps_per_epoch or 100)
        seed = seed_for(recipe.seed, f"training {row}")
        if row != MEASURED or recipe.measured_row is None:
            return SimulatedDataset(self.scenario(row), seed, length)
        stack, labels = self.stack("annotated"), self.labels("annotated")
        count, augment = recipe.measured_row.tiles, recipe.measured_row.augment
        tiles = MeasuredTiles(stack, labels, recipe.tile, seed, count or length, augment=augment)
        return tiles if count is None else Part(tiles, 0, count)

    def _validation_data(self) -> Mapping[str, LabelledImages]:
        """Validate on the annotated measurement, never on the unseen one, and on simulated tiles."""
        from beamforge.learning.data import StoredDataset, grid_tiles

        annotated = grid_tiles(self.stack("annotated"), self.labels("annotated"), self.recipe.tile)
        return {"annotated": annotated, SIMULATED: StoredDataset(self.run.folder / "simulated" / VALIDATION)}

    def network(self, row: str) -> Predictor:
        """Load a trained network."""
        from beamforge.learning import Segmenter

        return Segmenter.load(self.run.folder / "networks" / row / "model")

    def fit_baselines(self) -> None:
        """Fit the classifiers that need no training."""
        recipe = self.recipe
        generator = recipe.baselines.generator or self.main
        after = ["measurements", f"generators/{generator}"]

        def make(folder: Path, _: Path) -> None:
            fit_baselines(
                recipe.baselines,
                self.scenario(generator),
                self.stack("annotated"),
                self.labels("annotated"),
                seed_for(recipe.seed, "baseline tuning"),
                folder,
            )

        config = {"baselines": recipe.baselines.model_dump(mode="json"), "seed": recipe.seed}
        self.run.stage("baselines", config, after, make)

    def predictors(self) -> dict[str, Predictor]:
        """Load every row of the table."""
        return {row: self.network(row) for row in self.rows} | load_baselines(self.run.folder / "baselines")

    def evaluate(self) -> None:
        """Judge every row on simulated tiles and on the unseen measurement."""
        from beamforge.evaluation import Bootstrap, Judged, MeasuredImage, train_evaluate_matrix
        from beamforge.learning.data import StoredDataset

        recipe = self.recipe
        after = ["measurements", "simulated", "baselines", *(f"networks/{row}" for row in self.rows)]

        def make(folder: Path, _: Path) -> None:
            judged: dict[str, Judged] = {
                SIMULATED: StoredDataset(self.run.folder / "simulated" / TEST),
                MEASURED: MeasuredImage(self.stack("unseen"), self.labels("unseen"), tile=recipe.tile),
            }
            bootstrap = Bootstrap(resamples=recipe.evaluation.bootstrap, seed=seed_for(recipe.seed, "bootstrap"))
            matrix = train_evaluate_matrix(self.predictors(), judged, bootstrap=bootstrap)
            write_json(folder / "matrix.json", matrix.model_dump(mode="json"))

        config = {**recipe.evaluation.model_dump(), "tile": recipe.tile, "seed": recipe.seed}
        self.run.stage("evaluation", config, after, make)

    def segment(self) -> None:
        """Segment the whole unseen measurement with the main generator's network."""
        from beamforge.segmentation import segment

        recipe = self.recipe

        def make(folder: Path, _: Path) -> None:
            model = self.run.folder / "networks" / self.main / "model"
            origin = {"inputs": {str(model): sha256(model)}, "seed": recipe.seed, "measurement": self.origin}
            segment(self.network(self.main), self.stack("unseen"), folder / "labels.tif", provenance=origin)

        self.run.stage("segmentation", {}, ["measurements", f"networks/{self.main}"], make)

    def matrix(self) -> Matrix:
        """Read the scores."""
        from beamforge.evaluation import Matrix

        return Matrix.model_validate(read_json(self.run.folder / "evaluation" / "matrix.json"))
