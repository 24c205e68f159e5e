"""Recipes of the learning curve: how good a network is after n annotated slices, with and without simulation first."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.fine_tuning import FineTuning
from beamforge.recipes.kinds.comparison import Share
from beamforge.recipes.kinds.measurement import GeneratorSettings
from beamforge.recipes.schema import RecipeBase
from beamforge.recipes.settings import Settings
from beamforge.recipes.slice_data import SliceData
from beamforge.simulation.step import describe

if TYPE_CHECKING:
    from beamforge.recipes.sparse_labels import CurveOutcome
    from beamforge.recipes.stages import Run

STEPS = 100
"""Steps of an epoch on annotated slices where the recipe states none."""


class PretrainingSettings(Settings):
    """Simulated samples that the network learns from first."""

    generator: GeneratorSettings
    """Its steps; those with `fit` learn from the annotated slices at hand, anew for every number of them."""
    samples: PositiveInt = 200
    """How many are simulated; they are used again and again."""
    variation: tuple[dict[str, Any], ...] = ()
    """Degradations that they are varied by each time, such as `flip`."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Settings of this training that differ from `training`."""


class SparseLabelsRecipe(RecipeBase):
    """The learning curve over annotated slices."""

    kind: Literal["sparse_labels"] = "sparse_labels"
    data: SliceData
    judged: SliceData | None = None
    """Other annotated slices that only judge; without them the end of `data` does."""
    test: Share = 0.25
    """Share of the slices that judge."""
    gap: NonNegativeInt = 2
    """Slices left out before them."""
    slices: tuple[PositiveInt, ...] = Field(default=(1, 2, 4, 8, 16), min_length=1)
    """Numbers of annotated slices to learn from, spread evenly over those that do not judge."""
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0, 1, 2), min_length=1)
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    """From scratch on annotated slices; its length is that of the two other trainings together."""
    pretraining: PretrainingSettings
    fine_tuning: FineTuning = FineTuning()
    """How annotated slices follow on simulation."""
    tile: PositiveInt = 128  # px
    balanced: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the training tiles that are drawn by class."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if list(self.slices) != sorted(set(self.slices)):
            raise ValueError(f"slices are {list(self.slices)}, expected rising numbers")
        if (self.judged is None) == (self.test == 0):
            raise ValueError("either `judged` names other slices and test is 0, or a share to test on is held out")
        _ = self.first_training, self.second_training
        return self

    @property
    def second_training(self) -> TrainingConfig:
        """The training on annotated slices after simulation."""
        return self._changed("fine_tuning", self.fine_tuning.training)

    @property
    def first_training(self) -> TrainingConfig:
        """The training on simulated samples."""
        return self._changed("pretraining", self.pretraining.training)

    @property
    def from_scratch(self) -> TrainingConfig:
        """The training on annotated slices alone: of as many steps as both trainings of the other way have."""
        first, then = self.first_training, self.second_training
        steps = _steps(first, math.ceil(self.pretraining.samples / first.batch)) + _steps(then, STEPS)
        changes = {"epochs": 1, "steps_per_epoch": steps, "stages": ()}
        return self._changed("training", {}).model_copy(update=changes)

    def _changed(self, part: str, changes: dict[str, Any]) -> TrainingConfig:
        """Give the settings of a training; no slice is left to choose an epoch by, so that the best is not known."""
        keep = "ema" if self.training.keep == "ema" else "last"
        try:
            return TrainingConfig.model_validate(
                {**self.training.model_dump(), "keep": keep, "monitor": None, **changes}
            )
        except ValidationError as error:
            raise ValueError(f"{part}.training: {describe(error)}") from error

    @property
    def fitted(self) -> bool:
        """Whether the generator learns from the annotated slices."""
        return any("fit" in step for step in self.pretraining.generator.steps)

    def run(self, stages: Run) -> CurveOutcome:
        """Train with every number of slices, from scratch and after simulation, and judge."""
        from beamforge.recipes.sparse_labels import CurveJob

        return CurveJob(self, stages).run_all()

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.sparse_labels import CurveJob

        return CurveJob(self, stages).write_report()


def _steps(training: TrainingConfig, each: int) -> int:
    """Count the steps of a training whose epochs have `each` where none are stated."""
    parts = [stage.applied_to(training) for stage in training.stages] or [training]
    return sum(part.epochs * (part.steps_per_epoch or each) for part in parts)
