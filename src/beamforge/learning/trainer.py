"""The loop of a training and its state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from beamforge.errors import BeamforgeError, InputError
from beamforge.learning.averaging import MovingAverage
from beamforge.learning.checkpoint import (
    Progress,
    optimizer_tensors,
    part,
    prefixed,
    restore_optimizer,
    save_checkpoint,
    save_tensors,
)
from beamforge.learning.config import TrainingConfig
from beamforge.learning.context import context_radius
from beamforge.learning.course import Course, Leg
from beamforge.learning.events import append_event, forget_events_after
from beamforge.learning.freezing import create_optimizer, freeze, resized, set_rate
from beamforge.learning.loading import in_order, load
from beamforge.learning.losses import Loss
from beamforge.learning.network import Network
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.runtime import precision_of, seed_step
from beamforge.learning.schedule import learning_rate
from beamforge.learning.validation import validate_network
from beamforge.learning.weights import fill, read_tensors
from beamforge.progress import tracked

Validation = Mapping[str, LabelledTiles]
OnEpoch = Callable[[dict[str, Any]], None]


class DivergedError(BeamforgeError):
    """The loss is infinite or NaN."""


class Trainer:
    """A training under way.

    Parameters
    ----------
    network
        The network to train; it is moved to the device.
    loss
        What to make small.
    config, course
        Settings, and which stage and sample comes when.
    progress
        How far it is; kept up to date.
    out
        Folder of the training.
    accelerator
        Device and processes.
    encoder
        Part of the network that some stages leave alone or train at another rate; None where none does.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        config: TrainingConfig,
        course: Course,
        progress: Progress,
        out: Path,
        accelerator: Accelerator,
        encoder: nn.Module | None = None,
    ) -> None:
        self.config = config
        self.course = course
        self.progress = progress
        self.out = out
        self.accelerator = accelerator
        self.network = network.to(accelerator.device).to(memory_format=torch.channels_last)
        self.encoder = encoder
        self.average = MovingAverage(self.network, config.ema_decay) if config.keep == "ema" else None
        self.loss = loss
        self._precision = precision_of(config.precision, accelerator.device)
        self._begin_stage(next(course.left(progress.step), course.legs[-1]))
        self._since = time.monotonic()

    def _begin_stage(self, leg: Leg) -> None:
        self.leg = leg
        freeze(self.network, self.encoder, leg.stage)
        self.optimizer = create_optimizer(leg.config, self.network, self.encoder, leg.stage.encoder_rate)
        # In several processes these wrap the network and the optimiser; alone they do nothing more.
        self.accelerator.free_memory()
        self._wrapped, self._wrapped_optimizer = self.accelerator.prepare(self.network, self.optimizer)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from the tensors of a checkpoint; a stage that has not begun starts with a new optimiser."""
        self.network.load_state_dict(part(tensors, "network"))
        if self.progress.step > self.leg.first_step:
            restore_optimizer(self.optimizer, part(tensors, "optimizer"))
        if self.average is not None:
            self.average.restore(part(tensors, "average"))

    def run(self, data: LabelledTiles, validation: Validation, on_epoch: OnEpoch | None) -> None:
        """Do the steps that are left."""
        start = self.progress.step
        self.out.mkdir(parents=True, exist_ok=True)
        if self.accelerator.is_main_process:
            forget_events_after(self.out / "events.jsonl", start)
        for leg in self.course.left(start):
            if leg is not self.leg:
                self._begin_stage(leg)
            self._run_stage(data, validation, on_epoch)

    def _run_stage(self, data: LabelledTiles, validation: Validation, on_epoch: OnEpoch | None) -> None:
        """Do the steps that are left of the present stage."""
        start, leg = self.progress.step, self.leg
        mine, all_ = self.accelerator.process_index, self.accelerator.num_processes
        batches = (samples[mine::all_] for samples in leg.plan.batches(start - leg.first_step))
        loader = load(data, batches, self.config.workers)
        title = f"training, stage {leg.number}" if len(self.course.legs) > 1 else "training"
        for images, labels in tracked(loader, title, total=leg.end - start):
            done = self.progress.step - leg.first_step
            self.step(images, labels, learning_rate(leg.config, done, leg.plan.total_steps))
            every = self.config.checkpoint_steps
            if leg.ends_epoch(self.progress.step):
                self._end_epoch(validation, on_epoch)
            elif every and self.progress.step % every == 0:
                self._save_checkpoint()

    def result(self) -> Network:
        """Give the network with the weights to keep."""
        if self.config.keep == "ema" and self.average is not None:
            return self.average.network
        if self.config.keep == "best":
            file = self.out / "best.safetensors"
            fill(self.network, read_tensors(file), file)
        return self.network

    def context_radius(self, network: Network, images: Sequence[Tensor]) -> int:
        """Measure how far around a pixel the network looks."""
        batch = torch.stack(list(images)).to(self.accelerator.device)
        return context_radius(network.eval(), self.progress.scaling(batch))

    def forward(self, network: nn.Module, images: Tensor) -> Tensor:
        """Compute float32 logits of images in the stack's own units.

        bf16 is for training only: what is validated is what will be applied.
        """
        return self._logits(network, self.progress.scaling(images))

    def _logits(self, network: nn.Module, scaled: Tensor) -> Tensor:
        scaled = scaled.contiguous(memory_format=torch.channels_last)
        in_half = network.training and self._precision == torch.bfloat16
        with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=in_half):
            logits: Tensor = network(scaled)
        return logits.float()

    def step(self, images: Tensor, labels: Tensor, rate: float) -> float:
        """Do a step at a learning rate and give the loss before it.

        Raises
        ------
        DivergedError
            If the loss is not finite; the parameters are as before then.
        """
        labels = labels.to(self.accelerator.device)
        scaled = self.progress.scaling(images.to(self.accelerator.device))
        if self.leg.stage.side is not None:
            scaled, labels = resized(scaled, labels, self.leg.stage.side)
        self._check_batch(scaled)
        step = self.progress.step
        set_rate(self.optimizer, rate)
        seed_step(self.config.seed, step, self.accelerator.process_index)
        self._wrapped_optimizer.zero_grad()
        loss = self.loss(self._logits(self._wrapped, scaled), labels)
        value = float(self.accelerator.reduce(loss.detach(), "mean"))
        if not math.isfinite(value):
            raise DivergedError(
                f"the loss is {value} in step {step + 1} of {self.course.total_steps} (learning rate {rate:g}, loss "
                f"{self.config.loss}, precision {str(self._precision).removeprefix('torch.')}, gradient_clip "
                f"{self.config.gradient_clip}); take a smaller learning rate, a warm-up or a gradient_clip"
            )
        self.accelerator.backward(loss)
        if self.config.gradient_clip is not None:
            self.accelerator.clip_grad_norm_(self._wrapped.parameters(), self.config.gradient_clip)
        self._wrapped_optimizer.step()
        if self.average is not None:
            self.average.update(self.network, step)
        self.progress.step += 1
        self.progress.loss_sum += value
        return value

    def _check_batch(self, images: Tensor) -> None:
        smallest = self.network.multiple
        if len(images) == 1 and max(images.shape[-2:]) <= smallest:
            raise InputError(
                f"a batch of one tile of {images.shape[-2]}×{images.shape[-1]} px leaves one value per channel to "
                f"normalise; take a batch of at least 2 or tiles above {smallest} px"
            )

    def _end_epoch(self, validation: Validation, on_epoch: OnEpoch | None) -> None:
        epoch = self.leg.epoch(self.progress.step)
        network = self.network if self.average is None else self.average.network
        scores = {name: self._validate(network, tiles) for name, tiles in validation.items()}
        freeze(self.network, self.encoder, self.leg.stage)
        dice = scores[self.config.monitor or next(iter(scores))]["dice"] if scores else None
        is_best = dice is not None and (self.progress.best_dice is None or dice > self.progress.best_dice)
        if is_best:
            self.progress.best_epoch, self.progress.best_dice = epoch, dice
        self._count_seconds()
        event = {
            "event": "epoch",
            "epoch": epoch,
            "stage": self.leg.number,
            "step": self.progress.step,
            "seconds": round(self.progress.seconds, 3),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_loss": self.progress.loss_sum / self.leg.plan.steps_per_epoch,
            "validation": scores,
            "best": is_best,
        }
        self.progress.loss_sum = 0.0
        if self.accelerator.is_main_process:
            append_event(self.out / "events.jsonl", event)
            if is_best and self.config.keep == "best":
                save_tensors(self.out / "best.safetensors", self.network.state_dict())
        self._save_checkpoint()
        if on_epoch is not None and self.accelerator.is_main_process:
            on_epoch(event)

    def _validate(self, network: Network, tiles: LabelledTiles) -> dict[str, float]:
        batches = in_order(
            len(tiles), self.config.batch, self.accelerator.process_index, self.accelerator.num_processes
        )
        loader = load(tiles, batches, self.config.workers)
        return validate_network(network, loader, self.forward, self.loss, len(tiles.classes), self.accelerator)

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._since
        self._since = now

    def _save_checkpoint(self) -> None:
        self._count_seconds()
        if self.accelerator.is_main_process:
            tensors = prefixed(self.network.state_dict(), "network")
            tensors |= prefixed(optimizer_tensors(self.optimizer), "optimizer")
            if self.average is not None:
                tensors |= prefixed(self.average.network.state_dict(), "average")
            save_checkpoint(self.out / "checkpoint.safetensors", self.progress, tensors)
        self.accelerator.wait_for_everyone()
