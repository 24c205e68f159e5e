"""Recipes that go on with a network where it fails: adaptive sampling against random sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from beamforge.evaluation.hardness import FEWEST
from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.learning.adaptive.config import AdaptiveConfig
from beamforge.recipes.kinds.simulation import ScenarioSettings
from beamforge.recipes.schema import RecipeBase
from beamforge.recipes.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from beamforge.recipes.adaptive.outcome import AdaptiveOutcome
    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario


class SampleCounts(Settings):
    """How many samples are simulated before anything is adapted, each kind from a seed of its own."""

    training: PositiveInt = 400
    """The first network learns from these."""
    test: PositiveInt = 300
    """Judge; nothing is ever scored or chosen on them."""


class PublishedRow(Settings):
    """Published figures to stand beside ours: of the row ``random`` or ``adaptive``, by the name of the figure."""

    row: Literal["random", "adaptive"]
    figures: dict[str, float]
    source: str


class AdaptiveRecipe(RecipeBase):
    """From a scenario to a network that was fine-tuned where it failed, beside one fine-tuned on random samples."""

    kind: Literal["adaptive"] = "adaptive"
    generator: ScenarioSettings
    samples: SampleCounts = SampleCounts()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig(keep="last")
    """Of the first network."""
    fine_tuning: TrainingConfig = TrainingConfig(keep="last")
    """Of each round."""
    sampling: AdaptiveConfig = AdaptiveConfig()
    tail: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    """Share of the test samples that is called hard: those the first network does worst on."""
    published: tuple[PublishedRow, ...] = ()
    shown_channel: NonNegativeInt = 0
    """The channel that the report's pictures show."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sampling.scored < FEWEST:
            raise ValueError(f"sampling.scored is {self.sampling.scored}, at least {FEWEST} samples say what is hard")
        for name in ("training", "fine_tuning"):
            if getattr(self, name).keep == "best":
                raise ValueError(f"{name}.keep is 'best', but no validation data is spared to choose; take last or ema")
        if self.shown_channel >= len(self.generator.channels):
            raise ValueError(
                f"shown_channel is {self.shown_channel}, the generator has {len(self.generator.channels)} channels"
            )
        return self

    def run(self, stages: Run) -> AdaptiveOutcome:
        """Run all stages from the scenario to the report."""
        from beamforge.recipes.adaptive.job import RIVALS, AdaptiveJob
        from beamforge.recipes.adaptive.outcome import AdaptiveOutcome
        from beamforge.recipes.adaptive.report import write_report

        job = AdaptiveJob(self, stages)
        job.build()
        job.simulate()
        job.train()
        for row in RIVALS:
            job.fine_tune(row)
        job.evaluate()
        job.find_hardness()
        files = {"model": job.model("adaptive"), "hard parameters": stages.folder / "hardness" / "hardness.json"}
        return AdaptiveOutcome(
            report=write_report(job), files=files, name=self.name, found=job.scores(), published=self.published
        )

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.adaptive.job import AdaptiveJob
        from beamforge.recipes.adaptive.report import write_report

        return write_report(AdaptiveJob(self, stages))

    def scenario(self, stages: Run) -> Scenario:
        """Build the scenario."""
        from beamforge.recipes.adaptive.job import AdaptiveJob

        job = AdaptiveJob(self, stages)
        job.build()
        return job.scenario
