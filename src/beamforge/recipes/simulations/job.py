"""A simulation recipe at work: one method a stage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamforge.files import read_json, sha256, write_json
from beamforge.io import open_labels, open_stack, save_labels, save_stack
from beamforge.predictor import Predictor
from beamforge.provenance import provenance
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.methods import create_method
from beamforge.recipes.simulations.measured import load_annotated, load_image, prepared, segmentation_name
from beamforge.recipes.simulations.outcome import TaskScores
from beamforge.recipes.simulations.scenario import build_in_run, built_in_run, files_of
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.simulation import Scenario

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from beamforge.evaluation import Matrix
    from beamforge.learning.data import LabelledImages
    from beamforge.recipes.kinds.simulation import SimulationRecipe

SIMULATED, MEASURED = "simulated", "measured"
"""Names of what is judged on."""
ANNOTATED = "annotated"
"""Name of the annotated one among the measured images."""
TEST, VALIDATION, TRAINING = "test.zarr", "validation.zarr", "training.zarr"


@dataclass(frozen=True)
class SimulationJob:
    """A recipe at work in a run folder; every method is one stage."""

    recipe: SimulationRecipe
    run: Run

    def build(self) -> None:
        """Build the scenario, fitting what is fitted to the user's files."""
        recipe = self.recipe
        build_in_run(self.run, recipe.name, recipe.generator, recipe.places, recipe.seed)

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was built."""
        return built_in_run(self.run)

    def measure(self) -> None:
        """Load the measured images, prepare them as the scenario's samples are, and keep them."""
        recipe, places = self.recipe, self.recipe.places
        files = [places.find(path) for path in recipe.images]
        read = [*files, *([] if recipe.annotated is None else recipe.annotated.files(places))]
        settings = {
            "annotated": None if recipe.annotated is None else recipe.annotated.model_dump(mode="json"),
            "images": list(recipe.images),
            "prepare": list(recipe.prepare),
            "files": fingerprint([*read, *files_of(recipe.prepare, places)]),
            "seed": recipe.seed,
        }

        def make(folder: Path, _: Path) -> None:
            rng = stream(recipe.seed, "measurements")
            origin = provenance(simulated=False, inputs=read, seed=recipe.seed)
            if recipe.annotated is not None:
                measured = load_annotated(recipe.annotated, self.scenario, places, rng)
                origin["simulated"] = measured.simulated
                save_labels(folder / ANNOTATED / "labels.tif", measured.labels, provenance=origin)
                image = prepared(measured.stack, self.scenario, recipe.prepare, places, rng)
                save_stack(folder / ANNOTATED / "stack.zarr", image, provenance=origin)
            for number, file in enumerate(files):
                image = prepared(load_image(file, self.scenario), self.scenario, recipe.prepare, places, rng)
                save_stack(folder / f"image {number}" / "stack.zarr", image, provenance=origin)
            write_json(folder / "provenance.json", origin)

        self.run.stage("measurements", settings, ["generator"], make)

    def image(self, name: str) -> xr.DataArray:
        """Open the prepared image ``annotated`` or ``image N``."""
        return open_stack(self.run.folder / "measurements" / name / "stack.zarr")

    @property
    def labels(self) -> xr.DataArray:
        """The labels of the annotated measurement."""
        return open_labels(self.run.folder / "measurements" / ANNOTATED / "labels.tif")

    @property
    def measured_images(self) -> dict[str, str]:
        """Names of the measured images and what they are called in the report."""
        own = {} if self.recipe.annotated is None else {ANNOTATED: "the annotated measurement"}
        return own | {f"image {number}": Path(path).name for number, path in enumerate(self.recipe.images)}

    def simulate(self) -> None:
        """Write the samples that judge, those that watch trainings, and those to train on if they are stored."""
        from beamforge.simulation.dataset import write_dataset

        counts = {TEST: self.recipe.samples.test, VALIDATION: self.recipe.samples.validation}
        if self.recipe.samples.training is not None:
            counts[TRAINING] = self.recipe.samples.training
        for file, count in counts.items():
            seed = seed_for(self.recipe.seed, file)

            def make(folder: Path, scratch: Path, file: str = file, count: int = count, seed: int = seed) -> None:
                write_dataset(self.scenario, scratch / file, count, seed)
                shutil.move(scratch / file, folder / file)

            self.run.stage(f"samples/{file.removesuffix('.zarr')}", {"count": count, "seed": seed}, ["generator"], make)

    def samples(self, file: str) -> LabelledImages:
        """Open simulated samples."""
        from beamforge.learning.data import StoredDataset

        return StoredDataset(self.run.folder / "samples" / file.removesuffix(".zarr") / file)

    def fit(self, name: str) -> None:
        """Fit a classical method to the samples that watch the trainings."""
        settings = self.recipe.baselines[name]

        def make(folder: Path, _: Path) -> None:
            samples = self.samples(VALIDATION)
            pairs = [samples.arrays(number) for number in range(len(samples))]
            rng = stream(self.recipe.seed, f"fit {name}")
            scenario = self.scenario
            fitted = create_method(name, settings).fit(pairs, scenario.classes, scenario.channels, rng)
            write_json(folder / "fitted.json", fitted.model_dump(mode="json"))

        self.run.stage(
            f"classical/{name}", {"settings": settings, "seed": self.recipe.seed}, ["samples/validation"], make
        )

    @cached_property
    def main(self) -> str:
        """The row that the report is about."""
        return next(iter(self.recipe.rows))

    def model(self, row: str) -> Path:
        """Give the folder of a trained network."""
        return self.run.folder / "networks" / row / "model"

    def train(self, row: str) -> None:
        """Train a network."""
        from beamforge.learning import train
        from beamforge.learning.data import SimulatedDataset

        network, training = self.recipe.network_of(row), self.recipe.training_of(row)
        stored = self.recipe.samples.training is not None
        seed = seed_for(self.recipe.seed, "training")

        def make(folder: Path, scratch: Path) -> None:
            length = training.batch * (training.steps_per_epoch or 100)
            data = self.samples(TRAINING) if stored else SimulatedDataset(self.scenario, seed, length)
            watching = {SIMULATED: self.samples(VALIDATION)}
            origin = {"trained_on": self.recipe.name, "run_seed": self.recipe.seed}
            work = scratch / "training"
            train(network, training, data, watching, work, simulated=True, origin=origin)
            shutil.move(work / "model", folder / "model")
            shutil.move(work / "events.jsonl", folder / "events.jsonl")

        config = {"network": network.what_decides(), "training": training.what_decides(), "seed": seed}
        after = ["generator", "samples/validation", *(["samples/training"] if stored else [])]
        self.run.stage(f"networks/{row}", config, after, make)

    def predictors(self) -> dict[str, Predictor]:
        """Load every row of the table."""
        from beamforge.learning import Segmenter

        found: dict[str, Predictor] = {row: Segmenter.load(self.model(row)) for row in self.recipe.rows}
        for name, settings in self.recipe.baselines.items():
            content = read_json(self.run.folder / "classical" / name / "fitted.json")
            found[name] = create_method(name, settings).read(content)
        return found

    def evaluate(self) -> None:
        """Judge every row on simulated samples and on the annotated measurement; keep what the report shows."""
        from beamforge.evaluation import Bootstrap
        from beamforge.recipes.simulations.judging import Predicted, overlap, task_scores

        recipe = self.recipe

        def make(folder: Path, _: Path) -> None:
            bootstrap = Bootstrap(resamples=recipe.bootstrap, seed=seed_for(recipe.seed, "bootstrap"))
            rows, classes = self.predictors(), self.scenario.classes
            judged = {SIMULATED: Predicted.of_samples(self.samples(TEST), rows)}
            if recipe.annotated is not None:
                judged[MEASURED] = Predicted.of_image(self.image(ANNOTATED), self.labels.values, rows)
            write_json(folder / "matrix.json", overlap(judged, rows, classes, bootstrap).model_dump(mode="json"))
            write_json(folder / "tasks.json", task_scores(recipe.tasks, judged, classes, bootstrap))
            others = {n: Predicted.of_image(self.image(n), None, rows) for n in self.measured_images if n != ANNOTATED}
            for name, predicted in {**judged, **others}.items():
                for number, arrays in enumerate(predicted.shown(recipe.shown_channel)):
                    np.savez(folder / f"{name} part {number}.npz", allow_pickle=False, **arrays)

        config = {"tasks": recipe.tasks, "bootstrap": recipe.bootstrap, "channel": recipe.shown_channel}
        after = ["measurements", "samples/test", *(f"networks/{row}" for row in recipe.rows)]
        self.run.stage("evaluation", config, [*after, *(f"classical/{name}" for name in recipe.baselines)], make)

    def examples(self) -> Iterator[tuple[str, Mapping[str, NDArray[Any]]]]:
        """Read the images and predictions that the report shows."""
        for file in sorted((self.run.folder / "evaluation").glob("*.npz")):
            with np.load(file, allow_pickle=False) as arrays:
                yield file.stem, dict(arrays)

    def segment(self) -> dict[str, Path]:
        """Segment the measured images with the main row's network; give the label files by image."""
        from beamforge.learning import Segmenter
        from beamforge.segmentation import segment

        names = {ANNOTATED: "annotated_labels.tif"} if self.recipe.annotated is not None else {}
        names |= {f"image {n}": f"{n}_{segmentation_name(path)}" for n, path in enumerate(self.recipe.images)}
        if not names:
            return {}

        def make(folder: Path, _: Path) -> None:
            model = self.model(self.main)
            network = Segmenter.load(model)
            origin = {"inputs": {str(model): sha256(model)}, "seed": self.recipe.seed}
            for name, file in names.items():
                segment(network, self.image(name), folder / file, provenance=origin)

        folder = self.run.stage("segmentation", {"names": names}, ["measurements", f"networks/{self.main}"], make)
        return {f"labels of {self.measured_images[name]}": folder / file for name, file in names.items()}

    def matrix(self) -> Matrix:
        """Read the overlap scores."""
        from beamforge.evaluation import Matrix

        return Matrix.model_validate(read_json(self.run.folder / "evaluation" / "matrix.json"))

    def task_scores(self) -> TaskScores:
        """Read the scores of the tasks."""
        from beamforge.evaluation import Estimate

        content = read_json(self.run.folder / "evaluation" / "tasks.json")
        return {
            dataset: {
                row: {name: None if value is None else Estimate.model_validate(value) for name, value in scores.items()}
                for row, scores in rows.items()
            }
            for dataset, rows in content.items()
        }
