"""Recipes of the main job: measured data, generators, network, training, evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.measurements import Measurement
from beamforge.recipes.schema import RecipeBase, folder_name
from beamforge.recipes.settings import Settings

if TYPE_CHECKING:
    from beamforge.recipes.result import RunResult
    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario

Fraction = Annotated[float, Field(gt=0, lt=1)]


class GeneratorSettings(Settings):
    """One way to simulate labelled data.

    Each step is a mapping with the step's name under ``step`` and its settings. A mapping with a key ``fit`` is fitted
    to the annotated measurement with the options given there. ``classes`` and ``tile`` are filled in where a step has
    such a setting and the recipe leaves it out.
    """

    description: str = ""
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)


class HoldoutSettings(Settings):
    """How one measurement is split into a part to learn from and a part to judge on, when no other is given."""

    fraction: Fraction = 0.3
    block: PositiveInt = 64  # px
    guard: NonNegativeInt = 4  # px
    """Pixels at most this far from one to judge on are not learnt from: neighbours share noise and blur."""


class MeasuredRowSettings(Settings):
    """The network trained on the annotated measurement itself, for as many steps as the others.

    By default it has what the neutron paper gave it (Sathe et al. 2024): 80 random tiles, as they are.
    """

    tiles: PositiveInt | None = 80
    """How many random tiles there are; null draws new ones for every step."""
    augment: bool = False
    """Whether each is turned and mirrored at random."""


class BaselineSettings(Settings):
    """The rows of the table that need no training."""

    generator: str | None = None
    """Whose fitted intensities the maximum-likelihood classifier uses; by default the first generator's."""
    tuning_tiles: PositiveInt = 4
    """Simulated tiles on which the Potts smoothing is chosen."""
    gaussian_sigmas: tuple[NonNegativeFloat, ...] = ()
    """Smoothing widths in px of the Gaussian classifier, a row each."""


class EvaluationSettings(Settings):
    """What the models are judged on."""

    simulated_tiles: PositiveInt = 48
    """Held-out simulated tiles of the first generator to judge on; as many others watch the trainings."""
    bootstrap: NonNegativeInt = 2000
    """Resamples of the interval over tiles."""


class ReferenceRow(Settings):
    """A published figure to stand beside ours."""

    train: str
    evaluate: str
    dice: float | None = None
    iou: float | None = None
    source: str


class MeasurementRecipe(RecipeBase):
    """From one annotated measurement to a judged segmenter."""

    kind: Literal["measurement"] = "measurement"
    annotated: Measurement
    unseen: Measurement | None = None
    """A second, annotated measurement that only judges. Without it a part of the first is held out."""
    holdout: HoldoutSettings = HoldoutSettings()
    tile: PositiveInt = 192  # px
    generators: dict[str, GeneratorSettings] = Field(min_length=1)
    measured_row: MeasuredRowSettings | None = MeasuredRowSettings()
    """The row trained on tiles of the annotated measurement itself; null leaves it out."""
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    baselines: BaselineSettings = BaselineSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    references: tuple[ReferenceRow, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for name in self.generators:
            folder_name(name)
        reserved = {"measured", "simulated"} & set(self.generators)
        if reserved:
            raise ValueError(f"a generator cannot be named {reserved.pop()!r}, that row exists already")
        if self.baselines.generator is not None and self.baselines.generator not in self.generators:
            raise ValueError(
                f"baselines.generator is {self.baselines.generator!r}, the generators are {', '.join(self.generators)}"
            )
        return self

    def run(self, stages: Run) -> RunResult:
        """Run all stages from measured data to the report."""
        from beamforge.recipes.job import Job
        from beamforge.recipes.report import write_report
        from beamforge.recipes.result import RunResult

        job = Job(self, stages)
        job.measure()
        for name in self.generators:
            job.fit(name)
            job.validate(name)
        job.simulate_test()
        job.fit_baselines()
        for row in job.rows:
            job.train(row)
        job.evaluate()
        job.segment()
        files = {"labels": stages.folder / "segmentation" / "labels.tif"}
        return RunResult(report=write_report(job), files=files, matrix=job.matrix(), recipe=self)

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.job import Job
        from beamforge.recipes.report import write_report

        return write_report(Job(self, stages))

    def scenario(self, stages: Run) -> Scenario:
        """Fit the first generator and give its scenario."""
        from beamforge.recipes.job import Job

        job = Job(self, stages)
        job.measure()
        job.fit(job.main)
        return job.scenario(job.main)
