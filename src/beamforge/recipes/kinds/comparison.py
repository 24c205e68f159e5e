"""Recipes that compare networks on annotated slices: architectures × encoders × losses × seeds, one fair account."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.schema import RecipeBase, folder_name
from beamforge.recipes.settings import Settings
from beamforge.recipes.slice_data import SliceData
from beamforge.simulation.step import Step, describe

if TYPE_CHECKING:
    from beamforge.recipes.comparison.outcome import ComparisonOutcome
    from beamforge.recipes.stages import Run

Share = Annotated[float, Field(ge=0, lt=1)]


class SplitSettings(Settings):
    """How the slices are divided; see `beamforge.learning.slices.block_split`."""

    test: Share = 0.25
    """Share to judge on; 0 where other slices judge."""
    validation: Share = 0.15
    """Share to choose the best epoch by."""
    gap: NonNegativeInt = 2
    """Slices left out between the parts."""
    blocks: PositiveInt = 1
    """Sections along z, each of which is divided."""
    allow_absent: tuple[str, ...] = ()
    """Classes that a part may lack."""


class NetworkGroup(Settings):
    """Networks to compare: every architecture on every encoder with every number of neighbours and every shrinkage."""

    architectures: tuple[str, ...] = Field(min_length=1)
    encoders: tuple[str | None, ...] = Field(default=(None,), min_length=1)
    """Encoders by name; null is the architecture's own."""
    neighbours: tuple[NonNegativeInt, ...] = Field(default=(0,), min_length=1)
    """Slices on either side that become channels (2.5D)."""
    weights: str = "random"
    input: Literal["direct", "mixer"] = "direct"
    shrink: tuple[PositiveInt, ...] = Field(default=(1,), min_length=1)
    """By how much the resolution is reduced at which a network computes: larger tiles for the same cost."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the architecture."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Settings of the training that differ for these networks."""


class LossSettings(Settings):
    """A loss to compare."""

    loss: str
    loss_options: dict[str, Any] = Field(default_factory=dict)
    class_weights: Any = "equal"


class TimingSettings(Settings):
    """How the cost of each network is measured."""

    batch: PositiveInt = 1
    """Slices predicted at once."""
    repeats: PositiveInt = 5
    threads: PositiveInt | None = None
    """Threads of torch; null leaves the choice to it."""


@dataclass(frozen=True)
class Row:
    """One network under one loss: a row of the table."""

    name: str
    network: NetworkConfig
    neighbours: int
    training: TrainingConfig


class ComparisonRecipe(RecipeBase):
    """A study of networks on one data set."""

    kind: Literal["comparison"] = "comparison"
    data: SliceData
    judged: SliceData | None = None
    """Other annotated slices that only judge; without them a part of `data` does."""
    split: SplitSettings = SplitSettings()
    preprocessing: tuple[dict[str, Any], ...] = ()
    """Steps that every slice goes through; those with `fit` learn from the training slices alone."""
    background: str | None = None
    """The class that is no particle; by default the first."""
    networks: tuple[NetworkGroup, ...] = Field(min_length=1)
    losses: dict[str, LossSettings] = Field(default_factory=dict)
    """Losses by the name they have in the table; by default that of `training` alone."""
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0, 1, 2), min_length=1)
    """Each network is trained once with each."""
    training: TrainingConfig = TrainingConfig()
    tile: PositiveInt = 128  # px
    balanced: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the training tiles that are drawn by class."""
    augment: bool = True
    """Whether tiles are turned and mirrored."""
    augmentation: tuple[dict[str, Any], ...] = ()
    """Steps that vary the tiles anew every time."""
    classical: tuple[str, ...] = ("random_forest",)
    """Pixel classifiers that stand beside the networks."""
    choose_prior: bool = False
    """Whether the validation slices choose how much each class weighs, in all rows: that of the highest mean IoU."""
    random_split: bool = False
    """Whether the first network is also trained and judged under a random split, which leaks."""
    random_seeds: PositiveInt = 1
    """With how many of the seeds."""
    target: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Mean IoU on the validation slices, the time to which is counted."""
    timing: TimingSettings = TimingSettings()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _ = self.variation  # refuses unknown steps and settings
        names = [row.name for row in self.rows]
        for name in names:
            folder_name(name)
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"two networks are named {repeated.pop()!r}; compare groups that differ in name")
        if self.judged is not None and self.split.test:
            raise ValueError(f"split.test is {self.split.test:g} but `judged` names other slices; set it to 0")
        if self.judged is None and not self.split.test:
            raise ValueError("split.test is 0 and there are no `judged` slices; nothing would be judged")
        most = max(row.neighbours for row in self.rows)
        if most > self.split.gap:
            raise ValueError(
                f"networks see {most} neighbouring slices but split.gap is {self.split.gap}: what judges would be seen "
                f"in training; set the gap to {most} or more"
            )
        return self

    @property
    def variation(self) -> tuple[Step, ...]:
        """The steps that vary the tiles."""
        return tuple(Step.from_dict(config) for config in self.augmentation)

    @property
    def rows(self) -> list[Row]:
        """The networks."""
        losses: dict[str, LossSettings | None] = {**self.losses} or {"": None}
        made = []
        for group, (loss, settings) in itertools.product(self.networks, losses.items()):
            for architecture, encoder, reach, shrink in itertools.product(
                group.architectures, group.encoders, group.neighbours, group.shrink
            ):
                parts = [architecture]
                parts += [encoder] if encoder else []
                parts += [f"±{reach}"] if reach else []
                parts += [f"÷{shrink}"] if shrink > 1 else []
                name = " ".join(parts) + (f", {loss}" if loss else "")
                network = NetworkConfig(
                    architecture=architecture,
                    encoder=encoder,
                    weights=group.weights,
                    input=group.input,
                    shrink=shrink,
                    options=group.options,
                )
                made.append(Row(name, network, reach, self._training(group, settings)))
        return made

    def _training(self, group: NetworkGroup, loss: LossSettings | None) -> TrainingConfig:
        changed = {**(loss.model_dump() if loss else {}), **group.training}
        try:
            return TrainingConfig.model_validate({**self.training.model_dump(), **changed})
        except ValidationError as error:
            raise ValueError(f"networks: training: {describe(error)}") from error

    def run(self, stages: Run) -> ComparisonOutcome:
        """Train, predict, judge and account for every network."""
        from beamforge.recipes.comparison.job import ComparisonJob

        return ComparisonJob(self, stages).run_all()

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.comparison.job import ComparisonJob

        return ComparisonJob(self, stages).write_report()
