"""Recipes that give tiles a class: trained on simulation, on annotated pictures, or on both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.schema import RecipeBase
from beamforge.recipes.settings import Settings
from beamforge.stack import Channel, Classes

if TYPE_CHECKING:
    from pathlib import Path

    from beamforge.recipes.classification.outcome import ClassificationOutcome
    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario

Share = Annotated[float, Field(gt=0, lt=1)]


class TileGenerator(Settings):
    """What is simulated.

    Each step is a mapping with the step's name under ``step`` and its settings. Under ``learnt`` may stand the step
    that takes its place where annotated pictures are given, itself with a key ``fit`` (options of its fit to the
    pictures that train) if it learns from them.
    """

    classes: tuple[str, str]
    """Of a tile without and of one with what the masks mark."""
    colours: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)

    @property
    def named_classes(self) -> Classes:
        """Names and colours."""
        return Classes(names=self.classes, colours=self.colours)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The one channel of grey pictures."""
        return (Channel(mode="intensity"),)

    @model_validator(mode="after")
    def _classes_are_named(self) -> Self:
        _ = self.named_classes
        return self


class PictureSettings(Settings):
    """Annotated pictures to learn from and to judge on, of any sizes and modes."""

    annotated: tuple[str, ...] = ()
    """Folders, patterns or files of pictures with masks."""
    masks: str = "{stem}.png"
    """Where the mask of a picture is, from its folder."""
    inverted: bool = False
    """Whether the masks mark the background."""
    free: tuple[str, ...] = ()
    """Pictures on which nothing is marked; they need no masks."""
    whole: tuple[str, ...] = ()
    """Pictures without masks that show the second class wherever a tile is cut; the scenario does not learn from
    them."""
    test: Share = 0.3
    """Share of the pictures of either kind that only judge."""
    same: str | None = None
    """Regular expression: pictures in whose names it finds the same text stay in one part, as several exposures of one
    specimen must. Where it has a group, that group's text counts."""
    labelled: PositiveInt | None = None
    """How many tiles of the pictures that train are learnt from, as many of either class; null takes all there are."""

    @field_validator("same")
    @classmethod
    def _is_an_expression(cls, same: str | None) -> str | None:
        try:
            re.compile(same or "")
        except re.error as error:
            raise ValueError(f"{same!r} is no regular expression ({error})") from error
        return same

    @model_validator(mode="after")
    def _some_show_something(self) -> Self:
        if not self.annotated and not (self.whole and self.free):
            raise ValueError(
                "annotated names no pictures; give those with masks, such as 'annotated: [tiles/*.jpg]', or folders of "
                "pictures of one class each as `whole` and `free`"
            )
        return self


class TileSamples(Settings):
    """How many tiles are simulated."""

    training: PositiveInt = 1500
    validation: PositiveInt = 200
    """Watch the trainings."""
    test: PositiveInt = 400
    """Judge."""


class ClassificationRecipe(RecipeBase):
    """From a parametric scenario to judged classifiers of tiles.

    Without pictures the network is trained and judged on simulated tiles. With annotated pictures the scenario learns
    from those that train, and there are three networks: trained on simulation, on real tiles, and on simulation first
    and real tiles after; all are judged on the pictures held out.
    """

    kind: Literal["classification"] = "classification"
    generator: TileGenerator
    samples: TileSamples = TileSamples()
    pictures: PictureSettings | None = None
    images: tuple[str, ...] = ()
    """Folders, patterns or files of pictures without masks, whose tiles are given a class."""
    tile: PositiveInt = 96  # px
    least: PositiveInt = 24
    """Marked pixels that make a tile one of the second class; those with fewer are in doubt and do not count."""
    augmentation: tuple[dict[str, Any], ...] = ()
    """Steps that vary the real tiles anew every time."""
    network: NetworkConfig = NetworkConfig(architecture="classifier", encoder="resnet18")
    training: TrainingConfig = TrainingConfig(loss="cross_entropy")
    real: dict[str, Any] = Field(default_factory=dict)
    """What differs in the training on real tiles alone."""
    fine_tuning: dict[str, Any] = Field(default_factory=dict)
    """What differs in the training on real tiles that follows the one on simulation."""
    rehearsal: bool = False
    """Whether that training sees a simulated tile after each real one, so that it forgets nothing."""

    @model_validator(mode="after")
    def _trainings_are_whole(self) -> Self:
        for row in ("real", "mixed"):
            self.training_of(row)
        if self.network.build_architecture().task != "classification":
            raise ValueError(f"network.architecture {self.network.architecture!r} does not classify tiles")
        return self

    @property
    def rows(self) -> tuple[str, ...]:
        """The networks of the run."""
        return ("synthetic",) if self.pictures is None else ("synthetic", "real", "mixed")

    def training_of(self, row: str) -> TrainingConfig:
        """Give the training of a row."""
        own = {"real": self.real, "mixed": self.fine_tuning}.get(row, {})
        return TrainingConfig.model_validate({**self.training.model_dump(), **own})

    def run(self, stages: Run) -> ClassificationOutcome:
        """Run all stages from the scenario to the report."""
        from beamforge.recipes.classification.job import ClassificationJob
        from beamforge.recipes.classification.outcome import ClassificationOutcome
        from beamforge.recipes.classification.report import write_report

        job = ClassificationJob(self, stages)
        job.check_images()
        job.divide()
        job.build()
        job.simulate()
        for row in self.rows:
            job.train(row)
        job.evaluate()
        files = {"model": job.model(self.rows[-1])} | job.classify()
        return ClassificationOutcome(report=write_report(job), files=files, name=self.name, judged=job.judged())

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.classification.job import ClassificationJob
        from beamforge.recipes.classification.report import write_report

        return write_report(ClassificationJob(self, stages))

    def scenario(self, stages: Run) -> Scenario:
        """Build the scenario, learning from the pictures where there are some."""
        from beamforge.recipes.classification.job import ClassificationJob

        job = ClassificationJob(self, stages)
        job.divide()
        job.build()
        return job.scenario
