"""The stages of a comparison."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from beamforge.errors import InputError, one_of
from beamforge.files import read_json, write_json
from beamforge.io import save_labels
from beamforge.io.labels import open_labels
from beamforge.io.slices import AnnotatedSlices
from beamforge.predictor import Predictor
from beamforge.recipes.comparison.outcome import ComparisonOutcome
from beamforge.recipes.comparison.preparation import PreparedSlices, load_steps
from beamforge.recipes.comparison.recommendation import recommend
from beamforge.recipes.comparison.results import ComparisonResult, RunScores
from beamforge.recipes.kinds.comparison import ComparisonRecipe, Row
from beamforge.recipes.slice_data import prepare_in_run
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.simulation import Step
from beamforge.stack import as_labels

if TYPE_CHECKING:
    from beamforge.learning.data import LabelledImages

RANDOM = " (random split)"
"""Behind the name of the row that is trained under a random split."""


@dataclass(frozen=True)
class ComparisonJob:
    """A comparison at work in a run folder."""

    recipe: ComparisonRecipe
    run: Run

    def run_all(self) -> ComparisonOutcome:
        """Do all stages."""
        recipe = self.recipe
        self.prepare()
        self.split()
        self.fit_preprocessing()
        for row in recipe.rows:
            for seed in recipe.seeds:
                self.train(row, seed)
                self.judge_network(row, seed)
            self.account(row)
        for method in recipe.classical:
            for seed in recipe.seeds:
                self.judge_classical(method, seed)
        if recipe.random_split:
            for seed in recipe.seeds[: recipe.random_seeds]:
                self.train(recipe.rows[0], seed, random=True)
                self.judge_network(recipe.rows[0], seed, random=True)
        result = self.result()
        write_json(self.run.folder / "comparison.json", result.model_dump(mode="json"))
        recommendation = recommend(result)
        return ComparisonOutcome(
            name=recipe.name,
            report=self.write_report(),
            files={
                "recommended model": self.run.folder
                / "networks"
                / recommendation.row
                / f"seed {recipe.seeds[0]}"
                / "model",
                "all figures": self.run.folder / "comparison.json",
            },
            result=result,
            recommendation=recommendation,
        )

    def prepare(self) -> None:
        """Make simulated data, and note where all data come from."""
        recipe = self.recipe
        prepare_in_run(self.run, recipe.data, recipe.judged, recipe.places, recipe.seed)

    @cached_property
    def measured(self) -> AnnotatedSlices:
        """The slices to learn from, as they were measured."""
        return self.recipe.data.open(self.recipe.places, self.run.folder / "data" / "data")

    @cached_property
    def slices(self) -> AnnotatedSlices:
        """The slices to learn from, as the networks see them."""
        return self._prepared(self.measured)

    @cached_property
    def judged(self) -> AnnotatedSlices:
        """The slices that judge, as the networks see them."""
        other = self.recipe.judged
        if other is None:
            return self.slices
        return self._prepared(other.open(self.recipe.places, self.run.folder / "data" / "judged"))

    def fit_preprocessing(self) -> None:
        """Fit the steps that every slice goes through to the training slices, and save them."""
        from beamforge.recipes.comparison.forest import lay_out
        from beamforge.recipes.generators import build_step

        if not self.recipe.preprocessing:
            return

        def make(folder: Path, _: Path) -> None:
            rng = stream(self.recipe.seed, "preprocessing")
            fitted: list[Step] = []
            for number, config in enumerate(self.recipe.preprocessing):
                # Each step is fitted to what those before it leave of every slice by itself.
                stack, labels = lay_out(PreparedSlices(self.measured, fitted), self.part("train"), 0)
                fitted.append(build_step(config, {}, stack, labels, rng))
                fitted[-1].save(folder / f"{number:02}")

        self.run.stage("preprocessing", {"steps": self.recipe.preprocessing, "seed": self.recipe.seed}, ["split"], make)

    def _prepared(self, slices: AnnotatedSlices) -> AnnotatedSlices:
        if not self.recipe.preprocessing:
            return slices
        return PreparedSlices(slices, load_steps(self.run.folder / "preprocessing"))

    @property
    def _before(self) -> list[str]:
        """Stages that the slices as the networks see them rest on."""
        return ["data", "split", *(["preprocessing"] if self.recipe.preprocessing else [])]

    @property
    def origin(self) -> dict[str, Any]:
        """Where the data come from."""
        return dict(read_json(self.run.folder / "data" / "provenance.json"))

    @cached_property
    def background(self) -> int:
        """Number of the class that is no particle."""
        names = self.measured.classes.names
        if self.recipe.background is None:
            return 0
        if self.recipe.background not in names:
            raise one_of("background class", self.recipe.background, names)
        return names.index(self.recipe.background)

    def split(self) -> None:
        """Divide the slices, and refuse parts that lack a class."""
        from beamforge.learning.slices import block_split, check_classes_present, random_split

        settings = self.recipe.split

        def make(folder: Path, _: Path) -> None:
            other = self.recipe.judged
            judged = self.measured if other is None else other.open(self.recipe.places, self.run.folder / "data/judged")
            if judged.classes.names != self.measured.classes.names:
                raise InputError(
                    f"the slices that judge have the classes {list(judged.classes.names)}, those to learn from "
                    f"{list(self.measured.classes.names)}; they must be the same, in the same order"
                )
            blocks = block_split(self.measured, settings.test, settings.validation, settings.gap, settings.blocks)
            check_classes_present(self.measured, blocks, settings.allow_absent)
            splits = {"blocks": blocks.parts()}
            if self.recipe.random_split:
                dealt = random_split(blocks, stream(self.recipe.seed, "random split"))
                splits["random"] = dealt.parts()
            write_json(folder / "split.json", splits)

        config = {**settings.model_dump(mode="json"), "random": self.recipe.random_split, "seed": self.recipe.seed}
        self.run.stage("split", config, ["data"], make)

    def part(self, name: str, *, random: bool = False) -> tuple[int, ...]:
        """Give the numbers of the slices of a part; those that judge may be of the other data."""
        if name == "test" and self.recipe.judged is not None:
            return self.judged.annotated
        found = read_json(self.run.folder / "split" / "split.json")["random" if random else "blocks"][name]
        return tuple(found)

    def train(self, row: Row, seed: int, *, random: bool = False) -> None:
        """Train a network on random tiles of the training slices."""
        from beamforge.learning import train

        recipe = self.recipe
        training = row.training.model_copy(update={"seed": seed})

        def make(folder: Path, scratch: Path) -> None:
            trained = train(
                row.network,
                training,
                self._tiles(row, seed, random=random),
                self._validation_tiles(row, random=random),
                scratch / "training",
                simulated=self.origin["simulated"],
                origin={"run_seed": recipe.seed, "measurement": self.origin},
            )
            if recipe.choose_prior:
                trained = trained.with_prior(self._best_prior(trained, row.neighbours, seed, random=random))
            trained.save(folder / "model")
            shutil.move(scratch / "training" / "events.jsonl", folder / "events.jsonl")

        config = {
            "network": row.network.what_decides(),
            "training": training.what_decides(),
            "neighbours": row.neighbours,
            "tile": recipe.tile,
            "balanced": recipe.balanced,
            "augment": recipe.augment,
            **({"augmentation": recipe.augmentation} if recipe.augmentation else {}),
            "seed": recipe.seed,
            "random": random,
            **self._prior_settings,
        }
        self.run.stage(_place("networks", row.name, seed, random), config, self._before, make)

    def _tiles(self, row: Row, seed: int, *, random: bool) -> LabelledImages:
        """Draw tiles of the training slices; every network sees the same."""
        from beamforge.learning.augmented import Augmented
        from beamforge.learning.slices import SliceTiles

        recipe = self.recipe
        tiles = SliceTiles(
            self.slices,
            self.part("train", random=random),
            recipe.tile,
            seed_for(recipe.seed, f"tiles {seed}"),
            row.training.batch * (row.training.steps_per_epoch or 100),
            reach=row.neighbours,
            augment=recipe.augment,
            balanced=recipe.balanced,
        )
        steps = recipe.variation
        return Augmented(tiles, steps, seed_for(recipe.seed, f"variation {seed}")) if steps else tiles

    def _validation_tiles(self, row: Row, *, random: bool) -> LabelledImages:
        """Cut the validation slices into tiles of twice the side, or of a whole slice where that is smaller."""
        from beamforge.learning.slices import SliceGrid

        numbers = self.part("validation", random=random)
        largest = max(side for number in numbers for side in self.slices.labels(number).shape)
        return SliceGrid(self.slices, numbers, min(2 * self.recipe.tile, largest), reach=row.neighbours)

    def judge_network(self, row: Row, seed: int, *, random: bool = False) -> None:
        """Predict the test slices with a network and judge them."""
        from beamforge.learning import Segmenter, read_events

        place = _place("networks", row.name, seed, random)

        def make(folder: Path, _: Path) -> None:
            trained = self.run.folder / place
            events = [event for event in read_events(trained / "events.jsonl") if "validation" in event]
            reached = [e["seconds"] for e in events if e["validation"]["validation"]["miou"] >= self.recipe.target]
            self._judge(
                Segmenter.load(trained / "model"),
                self.part("test", random=random),
                row.neighbours,
                folder,
                train_seconds=events[-1]["seconds"],
                target_seconds=reached[0] if reached else None,
            )

        config = {"background": self.recipe.background, "target": self.recipe.target}
        self.run.stage(_place("judged", row.name, seed, random), config, [*self._before, place], make)

    def judge_classical(self, method: str, seed: int) -> None:
        """Train a pixel classifier, predict the test slices with it and judge them."""
        import time

        from beamforge.recipes.comparison.forest import fit_pixel_classifier, reweighted, with_best_prior

        def make(folder: Path, _: Path) -> None:
            start = time.perf_counter()
            rng = stream(self.recipe.seed, f"{method} {seed}")
            classifier = fit_pixel_classifier(self.slices, self.part("train"), method, rng)
            classifier = with_best_prior(classifier, self.slices, self.part("train"), self.part("validation"))
            if self.recipe.choose_prior:
                classifier = reweighted(classifier, self._best_prior(classifier, 0, seed))
            seconds = time.perf_counter() - start
            classifier.save(folder / "classifier.json")
            self._judge(classifier, self.part("test"), 0, folder, train_seconds=seconds)

        config = {
            "method": method,
            "prior": "validation",
            "seed": self.recipe.seed,
            "background": self.recipe.background,
            **self._prior_settings,
        }
        self.run.stage(_place("judged", method, seed, False), config, self._before, make)

    def _best_prior(self, predictor: Predictor, reach: int, seed: int, *, random: bool = False) -> tuple[float, ...]:
        from beamforge.recipes.comparison.prior import best_prior

        rng = stream(self.recipe.seed, f"prior {seed}")
        return best_prior(predictor, self.slices, self.part("validation", random=random), reach, rng)

    @property
    def _prior_settings(self) -> dict[str, Any]:
        """What stages rest on beside all else; without the choice they are those of recipes that do not know it."""
        return {"choose_prior": True} if self.recipe.choose_prior else {}

    def _judge(self, predictor: Predictor, numbers: Sequence[int], reach: int, folder: Path, **times: Any) -> None:
        from beamforge.recipes.comparison.judging import judge, predict_slices

        predicted = predict_slices(predictor, self.judged, numbers, reach)
        found = judge(self.judged, predicted, self.background, **times)
        write_json(folder / "scores.json", found.model_dump(mode="json"))
        for number, labels in predicted.labels.items():
            marked = as_labels(labels, self.judged.classes)
            save_labels(folder / "labels" / f"{number:05}.tif", marked, provenance=self.origin)

    def predicted(self, row: str, seed: int, number: int) -> np.ndarray:
        """Read the predicted labels (y, x) of a test slice."""
        file = self.run.folder / _place("judged", row, seed, False) / "labels" / f"{number:05}.tif"
        return np.asarray(open_labels(file).values)

    def account(self, row: Row) -> None:
        """Measure what a network costs on a slice of the data's size."""
        from beamforge.learning.cost import measure_cost

        timing = self.recipe.timing
        channels, classes = len(self.measured.window_channels(row.neighbours)), len(self.measured.classes)

        def make(folder: Path, _: Path) -> None:
            height, width = self.measured.labels(self.measured.annotated[0]).shape
            cost = measure_cost(
                row.network,
                channels,
                classes,
                (height, width),
                batch=timing.batch,
                repeats=timing.repeats,
                train_tile=self.recipe.tile,
                train_batch=row.training.batch,
                threads=timing.threads,
            )
            write_json(folder / "cost.json", cost.model_dump(mode="json"))

        config = {
            "network": row.network.what_decides(),
            "channels": channels,
            "timing": timing.model_dump(),
            "tile": self.recipe.tile,
            "batch": row.training.batch,
        }
        self.run.stage(f"costs/{row.name}", config, ["data"], make)

    def result(self) -> ComparisonResult:
        """Gather all scores and costs."""
        recipe = self.recipe

        def runs(name: str, *, random: bool = False) -> dict[int, RunScores]:
            seeds = recipe.seeds[: recipe.random_seeds] if random else recipe.seeds
            places = {seed: self.run.folder / _place("judged", name, seed, random) for seed in seeds}
            return {seed: RunScores.model_validate(read_json(p / "scores.json")) for seed, p in places.items()}

        return ComparisonResult.model_validate({
            "classes": self.slices.classes.names,
            "background": self.background,
            "target": recipe.target,
            "networks": {row.name: runs(row.name) for row in recipe.rows},
            "classical": {method: runs(method) for method in recipe.classical},
            "costs": {row.name: read_json(self.run.folder / "costs" / row.name / "cost.json") for row in recipe.rows},
            "random_split": runs(recipe.rows[0].name, random=True) if recipe.random_split else {},
            "slices": {name: len(self.part(name)) for name in ("train", "validation", "test")},
        })  # fmt: skip

    def write_report(self) -> Path:
        """Write ``report.html`` into the run's folder."""
        from beamforge.recipes.comparison.report import write_report

        return write_report(self)


def _place(kind: str, row: str, seed: int, random: bool) -> str:
    return f"{kind}/{row}{RANDOM if random else ''}/seed {seed}"
