"""Recipes for boundaries in micrographs: their look learnt without annotation, networks trained on simulation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.fine_tuning import FineTuning
from beamforge.recipes.schema import RecipeBase, folder_name
from beamforge.recipes.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from beamforge.recipes.micrographs.outcome import MicrographOutcome
    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario

Sources = str | tuple[str, ...]
"""A folder, a pattern with ``*``, a file, or a list of these."""


class AnnotatedPictures(Settings):
    """Pictures with masks of their boundaries; a mask is named like its picture."""

    images: Sources
    masks: Sources
    inverted: bool = False
    """Whether boundaries are dark in the masks."""
    group: str | None = None
    """Regular expression that the start of a file's name matches: pictures of equal matches are of one micrograph and
    never both learnt from and judged on. By default each picture is a micrograph of its own."""
    few: NonNegativeInt = 5
    """How many pictures a network may learn from; 0 only judges."""
    learn: tuple[str, ...] | None = None
    """Micrographs that those are of; by default every second one."""
    judge: tuple[str, ...] | None = None
    """Micrographs to judge on; by default all others."""

    @field_validator("group")
    @classmethod
    def _expression(cls, group: str | None) -> str | None:
        try:
            re.compile(group or "")
        except re.error as error:
            raise ValueError(f"{group!r} is no regular expression ({error})") from error
        return group


class LookSettings(Settings):
    """One way to simulate micrographs.

    Each step is a mapping with the step's name under ``step`` and its settings. A step with a key ``fit_to`` is learnt
    from the recipe's pictures where there are any, with the further settings given there; without pictures it is as it
    stands.
    """

    description: str = ""
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)


class PictureTuning(FineTuning):
    """How a trained network goes on learning from a few annotated pictures."""

    variation: tuple[dict[str, Any], ...] = ()
    """Degradations that the tiles of pictures are varied by."""


class MicrographRecipe(RecipeBase):
    """From micrographs, or from nothing, to judged networks that find boundaries.

    The first generator is the one whose network is fine-tuned, segments pictures, and which the report is about.
    """

    kind: Literal["micrographs"] = "micrographs"
    images: Sources | None = None
    """Your pictures without annotation: their look is learnt, and they are segmented."""
    appearance_from: Sources | None = None
    """Pictures whose look is learnt instead."""
    annotated: AnnotatedPictures | None = None
    colour: Literal["grey", "rgb"] = "rgb"
    """What all pictures are brought to."""
    tile: PositiveInt = 192  # px
    tolerance: PositiveFloat = 3.0  # px
    """Largest distance at which two boundaries are the same."""
    generators: dict[str, LookSettings] = Field(min_length=1)
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    fine_tuning: PictureTuning = PictureTuning()
    members: PositiveInt = 1
    """Networks of other seeds that every row with a network is the mean of; trainings take as many times as long."""
    orientations: bool = True
    """Whether networks look at pictures in all eight orientations."""
    test: PositiveInt = 16
    """Simulated samples to judge on."""
    validation: PositiveInt = 8
    """Others, on which trainings are watched and thresholds chosen."""
    bootstrap: PositiveInt = 1000
    """Resamples of the intervals."""

    @model_validator(mode="after")
    def _names_and_settings_fit(self) -> Self:
        for name in self.generators:
            folder_name(name)
        self.fine_tuning_config()
        return self

    @property
    def looked_at(self) -> Sources | None:
        """The pictures whose look is learnt."""
        return self.appearance_from if self.appearance_from is not None else self.images

    def fine_tuning_config(self) -> TrainingConfig:
        """Give the settings of the fine-tuning."""
        return TrainingConfig.model_validate({**self.training.model_dump(), **self.fine_tuning.training})

    def run(self, stages: Run) -> MicrographOutcome:
        """Run all stages from the pictures to the report."""
        from beamforge.recipes.micrographs.job import MicrographJob
        from beamforge.recipes.micrographs.outcome import MicrographOutcome
        from beamforge.recipes.micrographs.report import write_report

        job = MicrographJob(self, stages)
        job.run_all()
        return MicrographOutcome(
            report=write_report(job), files=job.files(), name=self.name, tables=job.scores(), tolerance=self.tolerance
        )

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.micrographs.job import MicrographJob
        from beamforge.recipes.micrographs.report import write_report

        return write_report(MicrographJob(self, stages))

    def scenario(self, stages: Run) -> Scenario:
        """Give the first generator, with the look of the recipe's pictures."""
        from beamforge.recipes.micrographs.job import MicrographJob

        job = MicrographJob(self, stages)
        job.load_pictures()
        return job.build(job.main)
