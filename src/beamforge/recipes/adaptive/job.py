"""An adaptive recipe at work: one method a stage."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from beamforge.evaluation.hardness import Hardness, find_hardness
from beamforge.files import read_json, write_json
from beamforge.recipes.kinds.adaptive import AdaptiveRecipe
from beamforge.recipes.simulations.scenario import build_in_run, built_in_run
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for
from beamforge.simulation import Scenario

if TYPE_CHECKING:
    from beamforge.learning import Segmenter
    from beamforge.learning.adaptive.rounds import FineTuning, Sampling, Scored
    from beamforge.learning.data import StoredDataset

START = "start"
RIVALS: tuple[Sampling, ...] = ("random", "adaptive")
ROWS: tuple[str, ...] = (START, *RIVALS)
SCORE_NAMES = {
    "mean_iou": "mean IoU",
    "log_likelihood": "log-likelihood",
    "calibrated_likelihood": "calibrated log-likelihood",
}


@dataclass(frozen=True)
class AdaptiveJob:
    """A recipe at work in a run folder; every method is one stage."""

    recipe: AdaptiveRecipe
    run: Run

    def build(self) -> None:
        """Build the scenario, fitting what is fitted to the user's files."""
        recipe = self.recipe
        build_in_run(self.run, recipe.name, recipe.generator, recipe.places, recipe.seed)

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was built."""
        return built_in_run(self.run)

    def simulate(self) -> None:
        """Write the samples of the first training and those that judge."""
        from beamforge.simulation.dataset import write_dataset

        for name, count in self.recipe.samples.model_dump().items():
            seed = seed_for(self.recipe.seed, name)

            def make(folder: Path, scratch: Path, count: int = count, seed: int = seed) -> None:
                write_dataset(self.scenario, scratch / "samples.zarr", count, seed)
                shutil.move(scratch / "samples.zarr", folder / "samples.zarr")

            self.run.stage(f"samples/{name}", {"count": count, "seed": seed}, ["generator"], make)

    def samples(self, name: str) -> StoredDataset:
        """Open the samples for ``training`` or ``test``."""
        from beamforge.learning.data import StoredDataset

        return StoredDataset(self.run.folder / "samples" / name / "samples.zarr")

    def train(self) -> None:
        """Train the network that both rivals start from."""
        from beamforge.learning import train
        from beamforge.learning.data import Remembered

        recipe = self.recipe

        def make(folder: Path, scratch: Path) -> None:
            work = scratch / "training"
            seen = Remembered(self.samples("training"))
            train(recipe.network, recipe.training, seen, {}, work, simulated=True)
            shutil.move(work / "model", folder / "model")
            shutil.move(work / "events.jsonl", folder / "events.jsonl")

        config = {"network": recipe.network.what_decides(), "training": recipe.training.what_decides()}
        self.run.stage(f"networks/{START}", config, ["samples/training"], make)

    def model(self, row: str) -> Path:
        """Give the folder of a trained network."""
        return self.run.folder / "networks" / row / "model"

    def network(self, row: str) -> Segmenter:
        """Load a trained network."""
        from beamforge.learning import Segmenter

        return Segmenter.load(self.model(row))

    def _fine_tuning(self) -> FineTuning:
        from beamforge.learning.adaptive.rounds import FineTuning

        recipe = self.recipe
        seed = seed_for(recipe.seed, "fine-tuning")
        return FineTuning(self.scenario, recipe.sampling, recipe.fine_tuning, seed)

    def fine_tune(self, row: Sampling) -> None:
        """Fine-tune by adaptive or by random sampling; keep what was scored and the course of the trainings."""
        from beamforge.learning.data import Remembered

        recipe = self.recipe

        def make(folder: Path, scratch: Path) -> None:
            work = scratch / "rounds"
            seen = Remembered(self.samples("training"))
            self._fine_tuning().run(self.model(START), seen, {}, work, row)
            for number in range(1, recipe.sampling.rounds + 1):
                done = work / f"round-{number}"
                kept = folder / done.name
                kept.mkdir()
                shutil.move(done / "training" / "events.jsonl", kept / "events.jsonl")
                if (done / "scores.json").exists():
                    shutil.move(done / "scores.json", kept / "scores.json")
            shutil.move(work / f"round-{recipe.sampling.rounds}" / "training" / "model", folder / "model")

        config = {
            "sampling": recipe.sampling.model_dump(),
            "training": recipe.fine_tuning.what_decides(),
            "seed": recipe.seed,
        }
        self.run.stage(f"networks/{row}", config, [f"networks/{START}"], make)

    def scored(self, round_: int = 1) -> Scored:
        """Read what a round of adaptive sampling scored."""
        from beamforge.learning.adaptive.rounds import read_scores

        return read_scores(self.run.folder / "networks" / "adaptive" / f"round-{round_}")

    def evaluate(self) -> None:
        """Judge the three networks on the test samples and on the hard ones among them."""
        from beamforge.recipes.adaptive.judging import judge

        def make(folder: Path, _: Path) -> None:
            rows = {row: self.network(row) for row in ROWS}
            write_json(folder / "scores.json", judge(rows, START, self.samples("test"), self.recipe.tail))

        after = ["samples/test", *(f"networks/{row}" for row in ROWS)]
        self.run.stage("evaluation", {"tail": self.recipe.tail}, after, make)

    def scores(self) -> dict[str, dict[str, float]]:
        """Read the scores: row, figure, value."""
        scores: dict[str, dict[str, float]] = read_json(self.run.folder / "evaluation" / "scores.json")
        return scores

    def find_hardness(self) -> None:
        """Find out which parameters were hard for the first network, on the samples that the first round scored."""

        def make(folder: Path, _: Path) -> None:
            scored = self.scored()
            seed = seed_for(self.recipe.seed, "hardness") % 2**31
            name = SCORE_NAMES[self.recipe.sampling.score]
            found = find_hardness(scored.scores, scored.parameters, score=name, seed=seed)
            write_json(folder / "hardness.json", found.model_dump(mode="json"))

        self.run.stage("hardness", {"seed": self.recipe.seed}, ["networks/adaptive"], make)

    def hardness(self) -> Hardness:
        """Read what makes samples hard."""
        return Hardness.model_validate(read_json(self.run.folder / "hardness" / "hardness.json"))

    def chosen_means(self) -> dict[str, tuple[float, float]]:
        """Give the mean of each parameter over all scored samples and over those that were varied."""
        scored = self.scored()
        chosen = np.array(scored.chosen)
        return {name: (float(v.mean()), float(v[chosen].mean())) for name, v in scored.parameters.items()}
