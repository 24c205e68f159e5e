"""Recipes that need no data: a parametric scenario, networks trained on it, classical methods beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from beamforge.evaluation.tasks import create_task
from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.recipes.measurements import Measurement
from beamforge.recipes.methods import create_method
from beamforge.recipes.schema import RecipeBase, folder_name
from beamforge.recipes.settings import Settings
from beamforge.stack import Channel, Classes

if TYPE_CHECKING:
    from pathlib import Path

    from beamforge.recipes.simulations.outcome import SimulationOutcome
    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario


class ScenarioSettings(Settings):
    """What is simulated.

    Each step is a mapping with the step's name under ``step`` and its settings. A mapping with a key ``files`` is made
    from the user's own files: see `beamforge.recipes.simulations.scenario`.
    """

    classes: tuple[str, ...] = Field(min_length=2)
    colours: tuple[str, ...] = ()
    """Of the classes; distinct ones by default."""
    channels: tuple[Channel, ...] = (Channel(),)
    pixel_size: PositiveFloat | None = None  # µm
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_and_coloured(self) -> Self:
        self.named_classes()
        return self

    def named_classes(self) -> Classes:
        """Give names and colours."""
        return Classes(names=self.classes, colours=self.colours)


class SampleSettings(Settings):
    """How many samples are simulated, each kind from a seed of its own."""

    training: PositiveInt | None = None
    """Simulated once for all networks and taken again and again; null simulates fresh ones for every step."""
    validation: PositiveInt = 8
    """Watch the trainings; classical methods are fitted to them too."""
    test: PositiveInt = 24
    """Judge."""


class RowSettings(Settings):
    """A network of its own: what differs from the recipe's ``network`` and ``training``.

    A row that names an architecture, or a loss, takes nothing of the options of the recipe's.
    """

    network: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class SimulationRecipe(RecipeBase):
    """From a parametric scenario to judged networks.

    The first row is the one that the report is about and that segments measured images.
    """

    kind: Literal["simulation"] = "simulation"
    generator: ScenarioSettings
    samples: SampleSettings = SampleSettings()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    rows: dict[str, RowSettings] = Field(default_factory=lambda: {"network": RowSettings()}, min_length=1)
    baselines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Classical rows by name: ``method`` and its settings; see `beamforge.recipes.methods`."""
    tasks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Scores beside the overlap: name of the task and its settings; see `beamforge.evaluation.tasks`."""
    annotated: Measurement | None = None
    """A measurement with labels, to judge on."""
    images: tuple[str, ...] = ()
    """Measured images without labels, to segment and to look at."""
    prepare: tuple[dict[str, Any], ...] = ()
    """Steps that measured images take first, such as those that end the scenario."""
    shown_channel: NonNegativeInt = 0
    """The channel that the report's pictures show."""
    bootstrap: PositiveInt = 1000
    """Resamples of the intervals."""

    @model_validator(mode="before")
    @classmethod
    def _files_by_default(cls, values: Any) -> Any:
        """Take a measurement that names no kind as files, and a stack without labels as an image."""
        annotated = values.get("annotated") if isinstance(values, dict) else None
        if not isinstance(annotated, dict):
            return values
        if set(annotated) == {"stack"}:
            rest = {key: value for key, value in values.items() if key != "annotated"}
            return rest | {"images": [*values.get("images", ()), annotated["stack"]]}
        return values | {"annotated": {"kind": "files", **annotated}}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in (*self.rows, *self.baselines):
            folder_name(name)
        both = set(self.rows) & set(self.baselines)
        if both:
            raise ValueError(f"a network and a classical row are both named {both.pop()!r}")
        if self.shown_channel >= len(self.generator.channels):
            raise ValueError(
                f"shown_channel is {self.shown_channel}, the generator has {len(self.generator.channels)} channels"
            )
        for name in self.rows:
            self.network_of(name)
            self.training_of(name)
        for name, settings in self.baselines.items():
            create_method(name, settings)
        for name, settings in self.tasks.items():
            create_task(name, settings)
        return self

    def network_of(self, row: str) -> NetworkConfig:
        """Give the network of a row."""
        own = self.rows[row].network
        kept = {} if "architecture" in own else self.network.model_dump()
        return NetworkConfig.model_validate({**kept, **own})

    def training_of(self, row: str) -> TrainingConfig:
        """Give the training of a row."""
        own = self.rows[row].training
        kept = self.training.model_dump(exclude={"loss_options"} if "loss" in own else set())
        return TrainingConfig.model_validate({**kept, **own})

    def run(self, stages: Run) -> SimulationOutcome:
        """Run all stages from the scenario to the report."""
        from beamforge.evaluation.tasks import TASKS
        from beamforge.recipes.simulations.job import SimulationJob
        from beamforge.recipes.simulations.outcome import SimulationOutcome
        from beamforge.recipes.simulations.report import write_report

        job = SimulationJob(self, stages)
        job.build()
        job.measure()
        job.simulate()
        for name in self.baselines:
            job.fit(name)
        for row in self.rows:
            job.train(row)
        job.evaluate()
        files = {"model": job.model(job.main)} | job.segment()
        return SimulationOutcome(
            report=write_report(job),
            files=files,
            name=self.name,
            matrix=job.matrix(),
            tasks=job.task_scores(),
            shown=tuple(TASKS[name].names[0] for name in self.tasks),
        )

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.simulations.job import SimulationJob
        from beamforge.recipes.simulations.report import write_report

        return write_report(SimulationJob(self, stages))

    def scenario(self, stages: Run) -> Scenario:
        """Build the scenario."""
        from beamforge.recipes.simulations.job import SimulationJob

        job = SimulationJob(self, stages)
        job.build()
        return job.scenario
