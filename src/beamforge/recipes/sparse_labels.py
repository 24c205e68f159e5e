"""From sparse labels to a learning curve: the stages and the report."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.table import Table

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap
from beamforge.evaluation.repeats import Repeats, Summary
from beamforge.files import read_json, write_json
from beamforge.io.slices import AnnotatedSlices
from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.generators import fit_scenario
from beamforge.recipes.kinds.sparse_labels import STEPS, SparseLabelsRecipe
from beamforge.recipes.schema import Outcome
from beamforge.recipes.slice_data import prepare_in_run
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for, stream
from beamforge.reporting import figures
from beamforge.reporting.report import Cell, Report
from beamforge.simulation import Scenario, Step

if TYPE_CHECKING:
    from beamforge.learning import Segmenter
    from beamforge.learning.data import LabelledImages
    from beamforge.learning.scaling import Scaling

SCRATCH, PRETRAINED = "from scratch", "after simulation"
LEVEL = 0.95
SAMPLES = "samples.zarr"


class Curve(BaseModel):
    """Mean IoU on the test slices: by way of training, number of slices, and seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slices: tuple[int, ...]
    seeds: tuple[int, ...]
    scores: dict[str, dict[int, dict[int, float]]]

    def summary(self, way: str, count: int) -> Summary:
        """Summarise the seeds of one point."""
        values = tuple(self.scores[way][count][seed] for seed in self.seeds)
        repeats = Repeats(
            figure="mean IoU", seeds=self.seeds, rows={way: values}, bootstrap=Bootstrap(resamples=2000, level=LEVEL)
        )
        return repeats.summary(way)

    def needed(self, count: int) -> int | None:
        """Give the fewest slices after simulation that reach what `count` reach from scratch; None if none do."""
        wanted = self.summary(SCRATCH, count).mean
        return next((n for n in self.slices if self.summary(PRETRAINED, n).mean >= wanted), None)

    def saving(self) -> float:
        """Give how many times fewer slices are needed for what the most slices reach from scratch; 0 if they do not."""
        needed = self.needed(self.slices[-1])
        return 0.0 if needed is None else self.slices[-1] / needed


@dataclass(frozen=True, kw_only=True)
class CurveOutcome(Outcome):
    """The outcome of a learning curve."""

    name: str
    curve: Curve

    def table(self) -> Table:
        """Give mean IoU by number of slices for a terminal."""
        table = Table(title=f"{self.name}: mean IoU by annotated slices", caption=verdict(self.curve))
        for column in ("slices", SCRATCH, PRETRAINED):
            table.add_column(column, justify="right")
        for count in self.curve.slices:
            means = (self.curve.summary(way, count).mean for way in (SCRATCH, PRETRAINED))
            table.add_row(str(count), *(f"{mean:.3f}" for mean in means))
        return table

    def scores(self) -> dict[str, dict[str, float]]:
        """Give mean IoU of every point."""
        return {
            way: {f"mean IoU, {count} slices": self.curve.summary(way, count).mean for count in self.curve.slices}
            for way in (SCRATCH, PRETRAINED)
        }


def verdict(curve: Curve) -> str:
    """Say what simulation saves."""
    most = curve.slices[-1]
    reached = curve.summary(SCRATCH, most).mean
    needed = curve.needed(most)
    if needed is None:
        return f"{most} slices reach a mean IoU of {reached:.3f} from scratch; after simulation no number here does."
    return f"{most} slices reach a mean IoU of {reached:.3f} from scratch; after simulation {needed} do."


@dataclass(frozen=True)
class CurveJob:
    """A learning curve at work in a run folder."""

    recipe: SparseLabelsRecipe
    run: Run

    def run_all(self) -> CurveOutcome:
        """Do all stages."""
        recipe = self.recipe
        self.prepare()
        for seed in recipe.seeds:
            for count in recipe.slices:
                self.train(count, seed, None)
                self.train(count, seed, self.pretrain(count, seed))
        curve = self.curve()
        write_json(self.run.folder / "curve.json", curve.model_dump(mode="json"))
        files = {"all figures": self.run.folder / "curve.json"}
        return CurveOutcome(report=self.write_report(), files=files, name=recipe.name, curve=curve)

    def prepare(self) -> None:
        """Make simulated data, and note where all data come from."""
        recipe = self.recipe
        prepare_in_run(self.run, recipe.data, recipe.judged, recipe.places, recipe.seed)

    @cached_property
    def slices(self) -> AnnotatedSlices:
        """The slices to learn from."""
        return self.recipe.data.open(self.recipe.places, self.run.folder / "data" / "data")

    @cached_property
    def judged(self) -> AnnotatedSlices:
        """The slices that judge."""
        other = self.recipe.judged
        return self.slices if other is None else other.open(self.recipe.places, self.run.folder / "data" / "judged")

    @cached_property
    def parts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of the slices to learn from and of those that judge."""
        from beamforge.learning.slices import block_split

        split = block_split(self.slices, self.recipe.test, 0.0, self.recipe.gap)
        return split.train, split.test if self.recipe.judged is None else self.judged.annotated

    def chosen(self, count: int) -> tuple[int, ...]:
        """Give as many slices to learn from, spread evenly.

        Raises
        ------
        InputError
            If there are not as many.
        """
        available = self.parts[0]
        if count > len(available):
            raise InputError(
                f"slices: {count} annotated slices were asked for, {len(available)} do not judge; take fewer"
            )
        places = (np.arange(count) + 0.5) * len(available) / count
        return tuple(available[int(place)] for place in places)

    def simulate(self, count: int) -> str:
        """Simulate the samples of all seeds; a fitted generator learns from as many slices, another one serves all."""
        from beamforge.simulation.dataset import write_dataset

        recipe = self.recipe
        name = f"samples/{self._made_from(count)}"

        def make(folder: Path, scratch: Path) -> None:
            path = scratch / SAMPLES  # a killed simulation goes on where it was
            write_dataset(self._scenario(count), path, recipe.pretraining.samples, seed_for(recipe.seed, "samples"))
            shutil.move(path, folder / SAMPLES)

        config = {
            "generator": recipe.pretraining.generator.model_dump(mode="json"),
            "samples": recipe.pretraining.samples,
            "tile": recipe.tile,
            "slices": self.chosen(count) if recipe.fitted else None,
            "seed": recipe.seed,
        }
        self.run.stage(name, config, ["data"], make)
        return name

    def _made_from(self, count: int) -> str:
        return f"{count} slices" if self.recipe.fitted else "all"

    def pretrain(self, count: int, seed: int) -> str:
        """Train on the simulated samples."""
        from beamforge.learning import train

        recipe = self.recipe
        samples = self.simulate(count)
        name = f"pretraining/{self._made_from(count)}/seed {seed}"
        training = recipe.first_training.model_copy(update={"seed": seed})

        def make(folder: Path, scratch: Path) -> None:
            data = self._simulated(count, seed)
            train(recipe.network, training, data, {}, scratch / "training", simulated=True)
            shutil.move(scratch / "training" / "model", folder / "model")

        config = {
            "network": recipe.network.what_decides(),
            "training": training.what_decides(),
            "variation": recipe.pretraining.variation,
            "seed": recipe.seed,
        }
        self.run.stage(name, config, [samples], make)
        return name

    def _scenario(self, count: int) -> Scenario:
        from beamforge.recipes.comparison.forest import lay_out

        stack, labels = lay_out(self.slices, self.chosen(count), 0)
        rng = stream(self.recipe.seed, f"generator {count}")
        return fit_scenario("pretraining", self.recipe.pretraining.generator, stack, labels, self.recipe.tile, rng)

    def _simulated(self, count: int, seed: int) -> LabelledImages:
        """Give the simulated samples, varied if the recipe says so."""
        from beamforge.learning.augmented import Augmented
        from beamforge.learning.data import Part, StoredDataset

        samples = StoredDataset(self.run.folder / "samples" / self._made_from(count) / SAMPLES)
        steps = [Step.from_dict(step) for step in self.recipe.pretraining.variation]
        if steps:
            return Augmented(samples, steps, seed_for(self.recipe.seed, f"variation {seed}"))
        return Part(samples, 0, len(samples))

    def train(self, count: int, seed: int, first: str | None) -> None:
        """Train on annotated slices, from scratch or on from a stage, and judge on the test slices."""
        from beamforge.recipes.comparison.judging import judge, predict_slices

        recipe = self.recipe
        whole = recipe.from_scratch if first is None else recipe.second_training
        training = whole.model_copy(update={"seed": seed})

        def make(folder: Path, scratch: Path) -> None:
            if first is None:
                trained = self._train(recipe.network, training, self._annotated(count, training), scratch)
            else:
                trained = self._fine_tune(count, self.run.folder / first, training, scratch)
            found = judge(self.judged, predict_slices(trained, self.judged, self.parts[1], 0), 0, train_seconds=0.0)
            write_json(folder / "scores.json", found.scores.model_dump(mode="json"))
            trained.save(folder / "model")

        config: dict[str, Any] = {
            "network": recipe.network.what_decides(),
            "training": training.what_decides(),
            "fine_tuning": recipe.fine_tuning.model_dump(mode="json") if first else None,
            "tile": recipe.tile,
            "balanced": recipe.balanced,
            "slices": self.chosen(count),
            "judged": self.parts[1],
            "seed": recipe.seed,
        }
        self.run.stage(_place(first is not None, count, seed), config, ["data", *([first] if first else [])], make)

    def _annotated(self, count: int, training: TrainingConfig) -> LabelledImages:
        from beamforge.learning.slices import SliceTiles

        recipe = self.recipe
        return SliceTiles(
            self.slices,
            self.chosen(count),
            recipe.tile,
            seed_for(recipe.seed, f"tiles {training.seed}"),
            training.batch * (training.steps_per_epoch or STEPS),
            augment=True,
            balanced=recipe.balanced,
        )

    def _fine_tune(self, count: int, first: Path, training: TrainingConfig, scratch: Path) -> Segmenter:
        """Go on from a network that learnt from simulation, some of whose samples come between the tiles."""
        from beamforge.learning import Segmenter
        from beamforge.learning.interleaved import Interleaved
        from beamforge.learning.interpolation import between

        settings = self.recipe.fine_tuning
        before = Segmenter.load(first / "model", training.device)
        measured = [self._annotated(count, training)] * settings.measured
        data = Interleaved(measured + [self._simulated(count, training.seed)] * settings.simulated)
        weights = {"weights": str(first / "model" / "model.safetensors")}
        network = self.recipe.network.model_copy(update=weights)
        after = self._train(network, training, data, scratch, before.description.scaling)
        return between(before, after, settings.share)

    def _train(
        self,
        network: NetworkConfig,
        training: TrainingConfig,
        data: LabelledImages,
        scratch: Path,
        scaling: Scaling | None = None,
    ) -> Segmenter:
        from beamforge.learning import train

        origin = dict(read_json(self.run.folder / "data" / "provenance.json"))
        return train(
            network, training, data, {}, scratch / "training", simulated=origin["simulated"], scaling=scaling,
            origin={"measurement": origin},
        )  # fmt: skip

    def curve(self) -> Curve:
        """Gather the scores."""
        recipe = self.recipe

        def score(pretrained: bool, count: int, seed: int) -> float:
            scores = read_json(self.run.folder / _place(pretrained, count, seed) / "scores.json")
            return float(scores["mean_iou"]["value"])

        return Curve(
            slices=recipe.slices,
            seeds=recipe.seeds,
            scores={
                way: {n: {seed: score(way == PRETRAINED, n, seed) for seed in recipe.seeds} for n in recipe.slices}
                for way in (SCRATCH, PRETRAINED)
            },
        )

    def write_report(self) -> Path:
        """Write ``report.html`` into the run's folder."""
        curve = self.curve()
        report = Report(self.recipe.name, self.recipe.description)
        report.headline(verdict(curve), {"times fewer slices": curve.saving() or None})
        report.section(
            "The learning curve",
            f"Mean IoU on {len(self.parts[1])} slices that had no part in any training, over {len(curve.seeds)} seeds "
            f"with the {100 * LEVEL:g} % interval by t. Both ways take as many training steps in "
            "all. No slice chose an epoch: the last weights count.",
        )
        rows: list[list[Cell]] = [
            [str(count), curve.summary(SCRATCH, count), curve.summary(PRETRAINED, count)] for count in curve.slices
        ]
        report.table(["annotated slices", SCRATCH, PRETRAINED], rows, "Mean IoU.")
        lines = {
            way: [(float(n), (s := curve.summary(way, n)).mean, s.t_interval) for n in curve.slices]
            for way in (SCRATCH, PRETRAINED)
        }
        figure = figures.learning_curve(lines, "annotated slices", "mean IoU")
        report.figure(figure, "Mean IoU by annotated slices.", "Learning curves with and without simulation first.")
        report.section("Provenance")
        origin = dict(read_json(self.run.folder / "data" / "provenance.json"))
        report.provenance({**origin, "recipe": self.recipe.model_dump(mode="json")}, self.run.seconds)
        return report.write(self.run.folder / "report.html")


def _place(pretrained: bool, count: int, seed: int) -> str:
    return f"networks/{PRETRAINED if pretrained else SCRATCH}/{count} slices/seed {seed}"
