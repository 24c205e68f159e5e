"""A classification recipe at work: one method a stage."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from beamforge.evaluation import ClassificationScores, evaluate_classifier
from beamforge.files import read_json, sha256, write_json
from beamforge.io import AnnotatedPicture
from beamforge.provenance import provenance
from beamforge.recipes.classification.classified import refuse_small, write_tiles
from beamforge.recipes.classification.generator import build_scenario
from beamforge.recipes.classification.pictures import (
    TEST,
    TRAIN,
    check_pictures,
    divide,
    even_shares,
    found_files,
    open_all,
    to_learn_from,
)
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.simulation import Scenario, Step

if TYPE_CHECKING:
    from beamforge.learning import Classifier
    from beamforge.learning.data import LabelledImages, StoredDataset
    from beamforge.learning.image_tiles import ImageTiles
    from beamforge.learning.tile_classes import TileClasses
    from beamforge.recipes.kinds.classification import ClassificationRecipe

SIMULATED, MEASURED = "simulated", "measured"
"""Names of what is judged on."""
_PARTS = {TRAIN: "pictures that train", TEST: "pictures that judge"}


@dataclass(frozen=True)
class ClassificationJob:
    """A recipe at work in a run folder; every method is one stage."""

    recipe: ClassificationRecipe
    run: Run

    @cached_property
    def pictures(self) -> list[AnnotatedPicture]:
        """The annotated pictures, checked."""
        recipe = self.recipe
        if recipe.pictures is None:
            return []
        classes = recipe.generator.named_classes
        pictures = open_all(recipe.pictures, recipe.places, classes)
        check_pictures(pictures, classes, recipe.tile)
        return pictures

    def divide(self) -> None:
        """Divide the annotated pictures into those that train and those that judge."""
        recipe = self.recipe
        settings = recipe.pictures
        files = [str(file) for picture in self.pictures for file in (picture.path, picture.mask) if file is not None]
        config = {
            "pictures": None if settings is None else settings.model_dump(mode="json"),
            "files": fingerprint(files),
            "tile": recipe.tile,
            "seed": recipe.seed,
        }

        def make(folder: Path, _: Path) -> None:
            rng = stream(recipe.seed, "pictures")
            parts = {} if settings is None else divide(self.pictures, settings.test, rng, settings.same)
            write_json(folder / "parts.json", parts)
            of_parts = {
                _PARTS[part]: ", ".join(self.pictures[number].path.name for number in numbers)
                for part, numbers in parts.items()
            }
            origin = provenance(simulated=not files, inputs=files, seed=recipe.seed)
            write_json(folder / "provenance.json", origin | of_parts)

        self.run.stage("pictures", config, [], make)

    def part(self, name: str) -> list[AnnotatedPicture]:
        """Give the pictures that train, or those that judge."""
        numbers = read_json(self.run.folder / "pictures" / "parts.json").get(name, [])
        return [self.pictures[number] for number in numbers]

    def build(self) -> None:
        """Build the scenario, fitting what is fitted to the pictures that train."""
        recipe = self.recipe

        def make(folder: Path, _: Path) -> None:
            rng = stream(recipe.seed, "generator")
            scenario = build_scenario(recipe.name, recipe.generator, recipe.tile, to_learn_from(self.part(TRAIN)), rng)
            scenario.save(folder / "scenario")

        config = {"generator": recipe.generator.model_dump(mode="json"), "tile": recipe.tile, "seed": recipe.seed}
        self.run.stage("generator", config, ["pictures"], make)

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was built."""
        return Scenario.load(self.run.folder / "generator" / "scenario")

    def simulate(self) -> None:
        """Write the tiles that train, those that watch trainings, and those that judge."""
        from beamforge.simulation.dataset import write_dataset

        for name, count in self.recipe.samples.model_dump().items():
            seed = seed_for(self.recipe.seed, f"samples {name}")

            def make(folder: Path, scratch: Path, count: int = count, seed: int = seed) -> None:
                write_dataset(self.scenario, scratch / "tiles.zarr", count, seed)
                shutil.move(scratch / "tiles.zarr", folder / "tiles.zarr")

            self.run.stage(f"samples/{name}", {"count": count, "seed": seed}, ["generator"], make)

    def samples(self, name: str) -> StoredDataset:
        """Open simulated tiles."""
        from beamforge.learning.data import StoredDataset

        return StoredDataset(self.run.folder / "samples" / name / "tiles.zarr")

    def tiles(self, dataset: str) -> TileClasses:
        """Give the tiles that judge, simulated or of the pictures held out."""
        if dataset == SIMULATED:
            return self._classes(self.samples("test"))
        return self._classes(self._tiles_of(TEST, self.recipe.tile))

    def _tiles_of(self, part: str, stride: int) -> ImageTiles:
        from beamforge.learning.image_tiles import ImageTiles

        pairs = [(picture.stack, picture.labels) for picture in self.part(part)]
        return ImageTiles(pairs, self.recipe.generator.named_classes, self.recipe.tile, stride)

    def _classes(self, images: LabelledImages) -> TileClasses:
        from beamforge.learning.tile_classes import AnyPixel, TileClasses

        return TileClasses(images, AnyPixel(least=self.recipe.least))

    def model(self, row: str) -> Path:
        """Give the folder of a trained network."""
        return self.run.folder / "networks" / row / "model"

    def train(self, row: str) -> None:
        """Train a network: on simulation, on real tiles, or on real tiles from the weights of the first."""
        from beamforge.learning import train_classifier

        network, training = self.recipe.network, self.recipe.training_of(row)
        after = ["samples/training", "samples/validation", "pictures"]
        if row == "mixed":
            start = self.model("synthetic") / "model.safetensors"
            network = network.model_copy(update={"weights": str(start)})
            after.append("networks/synthetic")
        seed = seed_for(self.recipe.seed, f"training {row}")
        synthetic = row == "synthetic"

        def make(folder: Path, scratch: Path) -> None:
            data = self._tiles_to_train(row, training.batch, seed)
            watching = {SIMULATED: self._classes(self.samples("validation"))}
            origin = {"trained_on": f"{self.recipe.name}: {row}", "run_seed": self.recipe.seed}
            work = scratch / "training"
            train_classifier(
                network, training, self._classes(data), watching, work, simulated=row != "real", origin=origin
            )
            shutil.move(work / "model", folder / "model")
            shutil.move(work / "events.jsonl", folder / "events.jsonl")

        config = {
            "network": self.recipe.network.what_decides(),
            "training": training.what_decides(),
            "augmentation": [] if synthetic else list(self.recipe.augmentation),
            "rehearsal": row == "mixed" and self.recipe.rehearsal,
            "least": self.recipe.least,
            "seed": seed,
        }
        self.run.stage(f"networks/{row}", config, after, make)

    def _tiles_to_train(self, row: str, length: int, seed: int) -> LabelledImages:
        from beamforge.learning.interleaved import Interleaved

        if row == "synthetic":
            return self.samples("training")
        real = self._real_tiles(length, seed)
        return Interleaved([real, self.samples("training")]) if row == "mixed" and self.recipe.rehearsal else real

    def _real_tiles(self, length: int, seed: int) -> LabelledImages:
        """Draw tiles of the pictures that train, about as often with marks as without."""
        from beamforge.learning.augmented import Augmented

        settings = self.recipe.pictures
        few = settings.labelled if settings is not None else None
        tiles = self._any_tiles(length, seed) if few is None else self._few_tiles(few)
        steps = [Step.from_dict(step) for step in self.recipe.augmentation]
        return Augmented(tiles, steps, seed) if steps else tiles

    def _any_tiles(self, length: int, seed: int) -> LabelledImages:
        from beamforge.learning.data import MeasuredTiles
        from beamforge.learning.pools import Pool

        pictures = self.part(TRAIN)
        parts = [
            MeasuredTiles(p.stack, p.labels, tile=self.recipe.tile, seed=seed + n, length=length, balanced=True)
            for n, p in enumerate(pictures)
        ]
        return Pool(parts, seed, length, shares=even_shares(pictures))

    def _few_tiles(self, count: int) -> LabelledImages:
        from beamforge.learning.image_tiles import Chosen, even_choice, numbers_by_class
        from beamforge.learning.tile_rules import AnyPixel

        every = self._tiles_of(TRAIN, max(1, self.recipe.tile // 2))
        by_class = numbers_by_class(every, AnyPixel(least=self.recipe.least), "part of the pictures that trains")
        return Chosen(every, even_choice(by_class, seed_for(self.recipe.seed, "labelled tiles"), count))

    @property
    def datasets(self) -> tuple[str, ...]:
        """What is judged on."""
        return (SIMULATED,) if self.recipe.pictures is None else (SIMULATED, MEASURED)

    def classifier(self, row: str) -> Classifier:
        """Load a trained network."""
        from beamforge.learning import Classifier

        return Classifier.load(self.model(row))

    def evaluate(self) -> None:
        """Judge every row on simulated tiles and on those of the pictures held out."""

        def make(folder: Path, _: Path) -> None:
            for dataset in self.datasets:
                tiles = self.tiles(dataset)
                tiles.counts()
                for row in self.recipe.rows:
                    scores = evaluate_classifier(self.classifier(row), tiles)
                    write_json(folder / f"{row} on {dataset}.json", scores.model_dump(mode="json"))

        config = {"least": self.recipe.least}
        after = ["samples/test", "pictures", *(f"networks/{row}" for row in self.recipe.rows)]
        self.run.stage("evaluation", config, after, make)

    def judged(self) -> dict[str, dict[str, ClassificationScores]]:
        """Read the scores by data set and row."""
        folder = self.run.folder / "evaluation"
        return {
            dataset: {
                row: ClassificationScores.model_validate(read_json(folder / f"{row} on {dataset}.json"))
                for row in self.recipe.rows
            }
            for dataset in self.datasets
        }

    def check_images(self) -> None:
        """Refuse pictures without masks that are smaller than a tile, before anything is trained."""
        refuse_small(self.images, self.recipe.tile)

    @cached_property
    def images(self) -> list[str]:
        """The pictures without masks whose tiles are given a class."""
        return found_files(self.recipe.images, self.recipe.places)

    @property
    def tile_table(self) -> Path:
        """The table of their tiles."""
        return self.run.folder / "classified" / "tiles.csv"

    def classify(self) -> dict[str, Path]:
        """Give the tiles of the pictures without masks their classes, by the last row's network."""
        files, row = self.images, self.recipe.rows[-1]
        if not files:
            return {}

        def make(folder: Path, _: Path) -> None:
            write_tiles(folder / self.tile_table.name, self.classifier(row), files, self.recipe.tile)
            model = self.model(row)
            inputs = {"inputs": {str(model): sha256(model)}, "seed": self.recipe.seed}
            write_json(folder / "provenance.json", provenance(simulated=False, inputs=files) | {"model": inputs})

        config = {"files": fingerprint(files), "tile": self.recipe.tile}
        self.run.stage(self.tile_table.parent.name, config, [f"networks/{row}"], make)
        return {"classes of tiles": self.tile_table}
