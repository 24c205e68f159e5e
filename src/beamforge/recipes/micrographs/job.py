"""A recipe for micrographs at work: one method a stage."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from beamforge.files import read_json, sha256, write_json
from beamforge.orientations import OrientationAverage
from beamforge.predictor import Predictor
from beamforge.provenance import provenance
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.micrographs.looks import build_look, with_thickness
from beamforge.recipes.micrographs.pictures import (
    CLASSES,
    Picture,
    channels_for,
    found,
    parted,
    read_annotated,
    read_pictures,
)
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.simulation import Scenario, Step
from beamforge.stack import as_labels, as_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beamforge.evaluation.micrographs import MicrographScores
    from beamforge.learning import Segmenter, TrainingConfig
    from beamforge.learning.data import LabelledImages
    from beamforge.recipes.kinds.micrographs import MicrographRecipe

SIMULATED, MEASURED = "simulated", "measured"
"""Names of what is judged on."""
TEST, VALIDATION = "test.zarr", "validation.zarr"
FILTERS: tuple[Literal["gradient", "ridge"], ...] = ("gradient", "ridge")
_SAMPLE_TILES = 100
"""Items that count as an epoch of endless data."""


@dataclass(frozen=True)
class MicrographJob:
    """A recipe at work in a run folder."""

    recipe: MicrographRecipe
    run: Run

    def run_all(self) -> None:
        """Go through all stages."""
        self.load_pictures()
        for name in self.recipe.generators:
            self.build(name)
        self.simulate()
        self.tune_filters()
        for name in self.recipe.generators:
            self.train(name)
        if self.few:
            self.fine_tune()
        self.evaluate()
        self.segment()

    @cached_property
    def main(self) -> str:
        """The generator that the report is about."""
        return next(iter(self.recipe.generators))

    @property
    def fine_tuned(self) -> str:
        """Name of the row that also learnt from a few annotated pictures."""
        return f"{self.main} + {len(self.few)} annotated pictures"

    @property
    def networks(self) -> list[str]:
        """Names of the rows that are networks."""
        return [*self.recipe.generators, *([self.fine_tuned] if self.few else [])]

    def load_pictures(self) -> None:
        """Read all pictures once, so that what is wrong with one is said before anything is trained."""
        recipe, annotated = self.recipe, self.recipe.annotated
        groups = [recipe.images, recipe.appearance_from]
        groups += [] if annotated is None else [annotated.images, annotated.masks]
        files = [str(file) for sources in groups if sources is not None for file in found(sources, recipe.places)]
        chosen = {"images", "appearance_from", "annotated", "colour"}
        settings = {"recipe": recipe.model_dump(mode="json", include=chosen), "files": fingerprint(files)}

        def make(folder: Path, _: Path) -> None:
            names = {"few": [p.name for p in self.few], "judged": [p.name for p in self.judged]}
            look = [p.name for p in self.look]
            write_json(folder / "parts.json", {**names, "look": look})
            write_json(folder / "provenance.json", provenance(simulated=False, inputs=files, seed=recipe.seed))

        self.run.stage("pictures", settings, [], make)

    @cached_property
    def look(self) -> list[Picture]:
        """The pictures whose look is learnt."""
        sources = self.recipe.looked_at
        return [] if sources is None else read_pictures(sources, self.recipe.places, self.recipe.colour)

    @cached_property
    def images(self) -> list[Picture]:
        """The pictures that are segmented."""
        sources = self.recipe.images
        return [] if sources is None else read_pictures(sources, self.recipe.places, self.recipe.colour)

    @cached_property
    def _parts(self) -> tuple[list[Picture], list[Picture]]:
        annotated = self.recipe.annotated
        if annotated is None:
            return [], []
        return parted(read_annotated(annotated, self.recipe.places, self.recipe.colour), annotated)

    @property
    def few(self) -> list[Picture]:
        """The annotated pictures that are learnt from."""
        return self._parts[0]

    @property
    def judged(self) -> list[Picture]:
        """The annotated pictures that judge."""
        return self._parts[1]

    def build(self, name: str) -> Scenario:
        """Build a generator, with the look of the pictures."""
        recipe, settings = self.recipe, self.recipe.generators[name]
        channels = channels_for(recipe.colour)

        def make(folder: Path, _: Path) -> None:
            rng = stream(recipe.seed, f"look of {name}")
            build_look(name, settings, self.look, channels, recipe.tile, rng).save(folder / "scenario")

        config = {
            "generator": settings.model_dump(mode="json"),
            "tile": recipe.tile,
            "channels": len(channels),
            "seed": recipe.seed,
            "look": [picture.fingerprint for picture in self.look],
        }
        self.run.stage(f"generators/{name}", config, [], make)
        return self.scenario(name)

    def scenario(self, name: str) -> Scenario:
        """Read a generator."""
        return Scenario.load(self.run.folder / "generators" / name / "scenario")

    def simulate(self) -> None:
        """Write the samples that judge, and those that watch trainings and choose thresholds."""
        from beamforge.simulation.dataset import write_dataset

        counts = {TEST: self.recipe.test, VALIDATION: self.recipe.validation}

        def make(folder: Path, scratch: Path) -> None:
            for file, count in counts.items():
                write_dataset(self.scenario(self.main), scratch / file, count, seed_for(self.recipe.seed, file))
                shutil.move(scratch / file, folder / file)

        self.run.stage("samples", {"counts": counts, "seed": self.recipe.seed}, [f"generators/{self.main}"], make)

    def samples(self, file: str) -> LabelledImages:
        """Open simulated samples."""
        from beamforge.learning.data import StoredDataset

        return StoredDataset(self.run.folder / "samples" / file)

    def tune_filters(self) -> None:
        """Choose width and threshold of the filters on simulated samples."""
        from beamforge.classical.edges import tuned_edges
        from beamforge.evaluation.boundaries import BoundaryCounts

        tolerance = self.recipe.tolerance

        def make(folder: Path, _: Path) -> None:
            data = self.samples(VALIDATION)
            pairs = [data.arrays(number) for number in range(len(data))]
            for kind in FILTERS:
                tuned = tuned_edges(
                    kind, pairs, data.channels, data.classes, lambda p, t: BoundaryCounts.of(p, t, tolerance).f
                )
                write_json(folder / f"{kind}.json", tuned.model_dump(mode="json"))

        self.run.stage("filters", {"tolerance": tolerance}, ["samples"], make)

    def train(self, name: str) -> None:
        """Train the networks of a row on a generator's samples."""
        from beamforge.learning import train
        from beamforge.learning.data import SimulatedDataset
        from beamforge.learning.ensemble import save_members

        recipe = self.recipe
        config = {
            "network": recipe.network.what_decides(),
            "training": recipe.training.what_decides(),
            "members": recipe.members,
            "seed": recipe.seed,
        }

        def member(number: int, work: Path) -> Segmenter:
            seed = seed_for(recipe.seed, _of_member(f"training {name}", number))
            data = SimulatedDataset(self.scenario(name), seed, _SAMPLE_TILES)
            training = _seeded(recipe.training, number)
            origin = {"trained_on": name, "run_seed": recipe.seed}
            return train(recipe.network, training, data, self.samples(VALIDATION), work, simulated=True, origin=origin)

        def make(folder: Path, scratch: Path) -> None:
            works = [scratch / f"training-{number}" for number in range(recipe.members)]
            save_members([member(number, work) for number, work in enumerate(works)], folder / "model")
            _keep_events(works, folder)

        self.run.stage(f"networks/{name}", config, [f"generators/{name}", "samples"], make)

    def fine_tune(self) -> None:
        """Go on with the main networks on tiles of the few annotated pictures, simulated ones between them."""
        from beamforge.learning.ensemble import member_folders, save_members

        recipe = self.recipe
        training = recipe.fine_tuning_config()
        config = {
            "fine_tuning": recipe.fine_tuning.model_dump(mode="json"),
            "training": training.what_decides(),
            "seed": recipe.seed,
            "tile": recipe.tile,
            "few": [picture.fingerprint for picture in self.few],
        }

        def make(folder: Path, scratch: Path) -> None:
            starts = member_folders(self.run.folder / "networks" / self.main / "model")
            works = [scratch / f"training-{number}" for number in range(len(starts))]
            tuned = [
                self._fine_tuned(start, _seeded(training, number), number, work)
                for number, (start, work) in enumerate(zip(starts, works, strict=True))
            ]
            save_members(tuned, folder / "model")
            _keep_events(works, folder)

        self.run.stage(f"networks/{self.fine_tuned}", config, [f"networks/{self.main}"], make)

    def _fine_tuned(self, start: Path, training: TrainingConfig, number: int, work: Path) -> Segmenter:
        """Fine-tune one network and mix its weights with those of before."""
        from beamforge.evaluation.boundaries import drawn_width
        from beamforge.learning import NetworkConfig, Segmenter, train
        from beamforge.learning.interpolation import between

        recipe = self.recipe
        before = Segmenter.load(start, training.device)
        width = float(np.mean([drawn_width(p.labels == 1) for p in self.few if p.labels is not None]))
        weights = str(start / "model.safetensors")
        after = train(
            NetworkConfig.model_validate({**recipe.network.model_dump(), "weights": weights}),
            training,
            self._fine_tuning_data(width, number),
            self.samples(VALIDATION),
            work,
            simulated=True,
            scaling=before.description.scaling,
            origin={"trained_on": self.fine_tuned, "drawn_width": width, "run_seed": recipe.seed},
        )
        return between(before, after, recipe.fine_tuning.share)

    def _fine_tuning_data(self, width: float, number: int) -> LabelledImages:
        from beamforge.learning.augmented import Augmented
        from beamforge.learning.data import MeasuredTiles, SimulatedDataset
        from beamforge.learning.interleaved import Interleaved

        settings, seed, channels = self.recipe.fine_tuning, self.recipe.seed, channels_for(self.recipe.colour)
        tiles = Interleaved([
            MeasuredTiles(
                as_stack(picture.image, channels),
                as_labels(picture.labels, CLASSES),
                min(self.recipe.tile, *picture.image.shape[1:]),
                seed_for(seed, _of_member(f"tiles of {picture.name}", number)),
                _SAMPLE_TILES,
                augment=True,
            )
            for picture in self.few
        ])  # fmt: skip
        steps = [Step.from_dict(step) for step in settings.variation]
        measured = Augmented(tiles, steps, seed_for(seed, _of_member("variation", number))) if steps else tiles
        scenario = with_thickness(self.scenario(self.main), width)
        simulated = SimulatedDataset(scenario, seed_for(seed, _of_member("fine-tuning", number)), _SAMPLE_TILES)
        return Interleaved([measured] * settings.measured + [simulated] * settings.simulated)

    def predictors(self) -> dict[str, Predictor]:
        """Load every row of the table."""
        from beamforge.classical.edges import EdgeThreshold

        rows = {name: self.network(name) for name in self.networks}
        for kind in FILTERS:
            tuned = read_json(self.run.folder / "filters" / f"{kind}.json")
            rows[f"{kind} threshold"] = EdgeThreshold.model_validate(tuned)
        return rows

    def network(self, name: str) -> Predictor:
        """Load a row's networks as they are judged and applied."""
        from beamforge.recipes.predictors import load_predictor

        network = load_predictor(self.run.folder / "networks" / name / "model")
        return OrientationAverage(network) if self.recipe.orientations else network

    def evaluate(self) -> None:
        """Judge all rows on simulated samples and on annotated pictures, and keep what they found in the first ones."""
        from beamforge.recipes.micrographs.judging import judge_rows

        recipe = self.recipe
        after = ["pictures", "samples", "filters", *(f"networks/{name}" for name in self.networks)]
        config = {
            "orientations": recipe.orientations,
            "tolerance": recipe.tolerance,
            "bootstrap": recipe.bootstrap,
            "seed": recipe.seed,
        }

        def make(folder: Path, _: Path) -> None:
            tables = {}
            for name, pictures in self.judged_parts().items():
                tables[name] = judge_rows(self.predictors(), pictures, recipe, folder / name)
            write_json(folder / "scores.json", tables)

        self.run.stage("evaluation", config, after, make)

    def judged_parts(self) -> dict[str, list[Picture]]:
        """Give what is judged on, by its name."""
        samples = self.samples(TEST)
        simulated = []
        for number in range(len(samples)):
            image, labels = samples.arrays(number)
            simulated.append(Picture(f"sample {number}", image, labels, str(number)))
        return {SIMULATED: simulated} | ({MEASURED: self.judged} if self.judged else {})

    def segment(self) -> None:
        """Segment the user's pictures with the best-taught network: boundaries, and grains by number."""
        from beamforge.recipes.micrographs.judging import segment_picture

        row = self.networks[-1] if self.few else self.main

        def make(folder: Path, _: Path) -> None:
            model = self.run.folder / "networks" / row / "model"
            origin = provenance(simulated=False, inputs=[str(model)], seed=self.recipe.seed, network=row)
            origin["inputs"] = {str(model): sha256(model)}
            sizes = {p.name: segment_picture(self.network(row), p, folder, origin) for p in self.images}
            write_json(folder / "grains.json", sizes)

        self.run.stage("segmentation", {"row": row}, ["pictures", f"networks/{row}"], make)

    def scores(self) -> dict[str, dict[str, MicrographScores]]:
        """Read the scores: data set, row."""
        from beamforge.evaluation.micrographs import MicrographScores

        tables = read_json(self.run.folder / "evaluation" / "scores.json")
        return {
            name: {row: MicrographScores.model_validate(scores) for row, scores in table.items()}
            for name, table in tables.items()
        }

    def files(self) -> dict[str, Path]:
        """Say where what a user opens is."""
        last = self.networks[-1] if self.few else self.main
        opened: dict[str, Any] = {"model": self.run.folder / "networks" / last / "model"}
        if self.images:
            opened["segmented pictures"] = self.run.folder / "segmentation"
        return opened


def _of_member(purpose: str, number: int) -> str:
    """Name the random stream of one of a row's networks."""
    return f"{purpose}, network {number + 1}" if number else purpose


def _seeded(training: TrainingConfig, number: int) -> TrainingConfig:
    """Give every one of a row's networks first weights of its own."""
    return training.model_copy(update={"seed": training.seed + number})


def events_file(number: int) -> str:
    """Name the course of the training of one of a row's networks."""
    return f"events-{number + 1}.jsonl" if number else "events.jsonl"


def _keep_events(works: Sequence[Path], folder: Path) -> None:
    for number, work in enumerate(works):
        shutil.copyfile(work / "events.jsonl", folder / events_file(number))
