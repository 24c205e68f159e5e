"""The learning-rate range test: which learning rates a network stands, found before it is trained."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.arrays import Float64, Float64Field
from beamforge.errors import BeamforgeError, InputError
from beamforge.learning.checkpoint import Progress
from beamforge.learning.config import NetworkConfig, Stage, TrainingConfig
from beamforge.learning.loading import load
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.preparation import fit_scaling, prepare_trainer
from beamforge.learning.runtime import create_accelerator, own_random_state, torch_threads
from beamforge.learning.scaling import Scaling
from beamforge.learning.task import task_of
from beamforge.learning.trainer import DivergedError, Trainer
from beamforge.progress import tracked

_PAST = 0.9
"""Weight of the past in the smoothed loss: it follows over some ten steps."""
_BURST = 4.0
"""The test ends when the smoothed loss is so many times its lowest value."""
_RISE, _FALL = 1.2, 0.9
_HALF_DECADE = 0.5
_FEWEST = 10
"""Steps over which the smoothed loss settles."""


class RateRange(BaseModel):
    """What a learning-rate range test found.

    Attributes
    ----------
    rates, losses
        float64 (step,): the learning rate of each step and the loss before it.
    smoothed
        float64 (step,): exponential moving average of the losses, corrected for its start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    rates: Float64Field
    losses: Float64Field
    smoothed: Float64Field

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if not self.rates.shape == self.losses.shape == self.smoothed.shape or self.rates.ndim != 1:
            raise ValueError("rates, losses and smoothed must be (step,) and of one length")
        return self

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest."""
        return float(self.rates[self.smoothed.argmin()])

    @property
    def steepest(self) -> float:
        """The rate, up to the lowest, about which the smoothed loss falls most over half a decade of the rate.

        The first steps, over which the average has not settled, are left out.
        """
        end = int(self.smoothed.argmin()) + 1
        decades = np.log10(self.rates)
        reach = max(1, round(_HALF_DECADE / 2 / (decades[1] - decades[0])))
        middles = np.arange(min(_FEWEST, end - 1) + reach, end - reach)
        if not len(middles):
            return self.lowest
        falls = self.smoothed[middles - reach] - self.smoothed[middles + reach]
        return float(self.rates[middles[falls.argmax()]])

    @property
    def falls(self) -> bool:
        """Whether the loss falls clearly; if not, lowest and steepest are chance."""
        settled = self.smoothed[min(_FEWEST, len(self.smoothed)) - 1]
        return bool(self.smoothed.min() < _FALL * settled)

    @property
    def rises(self) -> bool:
        """Whether the loss rises again; if not, the highest rate was too low to say which is too high."""
        return bool(self.smoothed[-1] > _RISE * self.smoothed.min())

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the smoothed loss is lowest: a highest rate to train with.

        At the lowest point the loss is about to rise; a decade below it still falls clearly in nearly all cases
        (the rule of fast.ai's courses, after Smith 2017).
        """
        return self.lowest / 10


def learning_rate_range(
    network: NetworkConfig,
    training: TrainingConfig,
    data: LabelledTiles,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    stage: int = 1,
    scaling: Scaling | None = None,
) -> RateRange:
    """Train for some steps while the learning rate rises exponentially, until the loss explodes.

    Nothing is kept of the trained weights; torch's global random state stays as it was.

    Source: Smith 2017, doi:10.1109/WACV.2017.58.

    Parameters
    ----------
    network, training, data
        As for `train` or `train_classifier`, whichever the architecture is for.
    low, high
        First and last learning rate.
    steps
        Steps from one to the other, each a batch of the training.
    stage
        Which stage of the training is tried, from 1: the test freezes and shrinks as it does.
    scaling
        Scaling of the channels; by default fitted to some samples of `data`.

    Raises
    ------
    InputError
        If the range or the number of steps is too small, or there is no such stage.
    BeamforgeError
        If the loss falls nowhere.
    """
    if not 0 < low < high or steps < _FEWEST:
        raise InputError(f"low {low:g}, high {high:g}, {steps} steps: expected 0 < low < high and at least {_FEWEST}")
    stages = training.stages or (Stage(),)
    if not 1 <= stage <= len(stages):
        raise InputError(f"stage is {stage}, the training has {len(stages)}")
    task = task_of(network)
    task.check_labels(data)
    alone = stages[stage - 1].model_copy(update={"epochs": 1, "steps_per_epoch": steps})
    trial = training.model_copy(update={"stages": (alone,), "keep": "last"})
    progress = Progress(settings={}, scaling=scaling or fit_scaling(training, data))
    accelerator = create_accelerator(training.device)
    rates = np.geomspace(low, high, steps)
    with (
        torch_threads(training.threads),
        own_random_state(accelerator.device),
        tempfile.TemporaryDirectory() as out,
    ):
        trainer = prepare_trainer(task, network, trial, data, progress, Path(out), accelerator)
        losses = _losses(trainer, data, rates)
    smoothed = _smoothed(losses)
    if smoothed.argmin() < 2:
        raise BeamforgeError(
            f"the loss falls nowhere between the learning rates {low:g} and {rates[len(losses) - 1]:g} "
            f"(from {losses[0]:.4g}); take a smaller low, more steps or larger batches"
        )
    return RateRange(rates=rates[: len(losses)], losses=losses, smoothed=smoothed)


def _losses(trainer: Trainer, data: LabelledTiles, rates: Float64) -> Float64:
    leg = trainer.leg
    loader = load(data, leg.plan.batches(0), leg.config.workers)
    losses: list[float] = []
    for rate, (images, labels) in tracked(zip(rates, loader, strict=True), "learning rates", total=len(rates)):
        try:
            losses.append(trainer.step(images, labels, float(rate)))
        except DivergedError:
            break
        smoothed = _smoothed(np.array(losses))
        if smoothed[-1] > _BURST * smoothed.min():
            break
    return np.array(losses)


def _smoothed(losses: Float64) -> Float64:
    """Average over the past, each value corrected for the weights that sum up to less than 1."""
    smoothed, average = np.empty(len(losses)), 0.0
    for number, loss in enumerate(losses, start=1):
        average = _PAST * average + (1 - _PAST) * loss
        smoothed[number - 1] = average / (1 - _PAST**number)
    return smoothed
