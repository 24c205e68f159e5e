"""The course of a training: its stages one after the other, laid out over steps, epochs and samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from beamforge.learning.config import Stage, TrainingConfig
from beamforge.learning.plan import Plan


@dataclass(frozen=True)
class Leg:
    """One stage with its place in the whole.

    Attributes
    ----------
    number
        From 1.
    stage
        What the stage states.
    config
        The settings of the training in this stage.
    plan
        Which samples its steps take; its steps count from 0.
    first_step, first_epoch
        Steps and epochs before it.
    """

    number: int
    stage: Stage
    config: TrainingConfig
    plan: Plan
    first_step: int
    first_epoch: int

    @property
    def end(self) -> int:
        """Steps of the training up to the end of this stage."""
        return self.first_step + self.plan.total_steps

    def ends_epoch(self, done: int) -> bool:
        """Say whether an epoch is over after so many steps of the training."""
        return (done - self.first_step) % self.plan.steps_per_epoch == 0

    def epoch(self, done: int) -> int:
        """Count the finished epochs of the training after so many of its steps."""
        return self.first_epoch + (done - self.first_step) // self.plan.steps_per_epoch


@dataclass(frozen=True)
class Course:
    """All stages of a training."""

    legs: tuple[Leg, ...]

    @classmethod
    def of(cls, training: TrainingConfig, length: int, endless: bool) -> Course:
        """Lay a training out over data.

        A stage goes on in the data where the one before stopped.

        Parameters
        ----------
        training
            Its settings; without stages it is a single one.
        length, endless
            Of the data.

        Raises
        ------
        InputError
            If the data is empty.
        """
        legs: list[Leg] = []
        steps = epochs = samples = 0
        for number, stage in enumerate(training.stages or (Stage(),), start=1):
            config = stage.applied_to(training)
            plan = Plan(
                length, endless, config.batch, config.epochs, config.steps_per_epoch, training.seed, first=samples
            )
            legs.append(Leg(number, stage, config, plan, steps, epochs))
            steps += plan.total_steps
            epochs += plan.epochs
            samples += plan.total_samples
        return cls(tuple(legs))

    @property
    def total_steps(self) -> int:
        """Steps of all stages."""
        return self.legs[-1].end

    def left(self, done: int) -> Iterator[Leg]:
        """Go through the stages that are not over after so many steps."""
        return (leg for leg in self.legs if leg.end > done)
