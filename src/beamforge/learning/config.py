"""The settings of networks and trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from beamforge.errors import InputError
from beamforge.files import sha256
from beamforge.learning.architectures.base import Architecture, create_architecture
from beamforge.learning.class_weights import Weighting
from beamforge.learning.losses import create_loss

Schedule = Literal["constant", "cosine", "one_cycle"]


class NetworkConfig(BaseModel):
    """Which network, from which weights.

    Attributes
    ----------
    architecture
        Name of the architecture, such as ``"unet"``.
    encoder
        Name of the encoder where the architecture has a choice, such as ``"resnet18"`` or, for any network of timm,
        ``"tu-NAME"``; by default the architecture's own.
    weights
        ``"random"``, ``"cached"`` (the encoder's ImageNet weights from timm's local cache; the network is never
        asked) or the path of a safetensors file of the whole network or of its encoder.
    input
        ``"direct"``: the first layer takes all channels. ``"mixer"``: a learned 1×1 convolution makes 3 channels of
        them first, which pretrained weights need unless there are 3.
    shrink
        The network computes at 1/shrink of the resolution: the shrink × shrink pixels of a block become channels, and
        it gives as many logits of every class for each block, so that no pixel is lost. Tiles may then be so many
        times larger for the same cost, and hold the surroundings that a class depends on.
    options
        Options of the architecture by name; see docs/networks.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = "unet"
    encoder: str | None = None
    weights: str = "random"
    input: Literal["direct", "mixer"] = "direct"
    shrink: PositiveInt = 1
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _options_of_the_architecture(self) -> Self:
        self.build_architecture()
        return self

    def what_decides(self) -> dict[str, Any]:
        """Give the settings that the first weights depend on; a file of weights counts by its content.

        Raises
        ------
        InputError
            If the file is missing.
        """
        settings = self.model_dump(mode="json")
        if self.shrink == 1:
            del settings["shrink"]
        if self.weights in ("random", "cached"):
            return settings
        file = Path(self.weights)
        if not file.is_file():
            raise InputError(f"{file}: no such file of weights")
        return settings | {"weights_sha256": sha256(file)}

    def build_architecture(self) -> Architecture:
        """Give the architecture with its options."""
        encoder = {} if self.encoder is None else {"encoder": self.encoder}
        return create_architecture(self.architecture, {**self.options, **encoder})


class Stage(BaseModel):
    """A part of a training; what it does not state is as in the training.

    Attributes
    ----------
    epochs, steps_per_epoch, batch, learning_rate, schedule, warmup
        As in `TrainingConfig`, for this stage alone.
    train
        ``"all"`` of the network, or its ``"head"``: all but the encoder, which stays as it is.
    side
        Tiles are shrunk to so many px along their shorter side before a step (progressive resizing; Howard 2018).
        Validation takes them as they are.
    encoder_rate
        Learning rate of the encoder relative to that of the rest (discriminative rates; Howard & Ruder 2018).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: PositiveInt | None = None
    steps_per_epoch: PositiveInt | None = None
    batch: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None
    schedule: Schedule | None = None
    warmup: NonNegativeInt | None = None
    train: Literal["all", "head"] = "all"
    side: PositiveInt | None = None
    encoder_rate: PositiveFloat = 1.0

    @property
    def needs_encoder(self) -> bool:
        """Whether encoder and head are treated apart."""
        return self.train == "head" or self.encoder_rate != 1

    @model_validator(mode="after")
    def _frozen_or_slow(self) -> Self:
        if self.train == "head" and self.encoder_rate != 1:
            raise ValueError("a stage that trains the head alone has no encoder_rate; leave one of them out")
        return self

    def applied_to(self, training: TrainingConfig) -> TrainingConfig:
        """Give the settings of the training in this stage."""
        stated = self.model_dump(exclude={"train", "side", "encoder_rate"}, exclude_none=True)
        if self.schedule == "one_cycle" and self.warmup is None:
            stated["warmup"] = 0
        return TrainingConfig.model_validate(training.model_dump(exclude={"stages"}) | stated)


class TrainingConfig(BaseModel):
    """How to train.

    Attributes
    ----------
    epochs, steps_per_epoch, batch
        Length of the training and tiles per step. Without steps_per_epoch an epoch takes the data's whole length once.
    loss, loss_options
        Name of the loss, such as ``"cross_entropy_dice"`` or ``"focal"``, and its options; see docs/networks.md.
    class_weights
        Weight of the classes in a loss that can weigh them: ``"equal"``, from the data (``"inverse"`` or
        ``"inverse_root"`` of how often they occur in some of its samples), or a number for each class.
    optimizer, learning_rate, weight_decay
        The optimiser; SGD runs with a momentum of 0.9.
    schedule, warmup
        Course of the learning rate, after `warmup` steps of linear rise; ``"one_cycle"`` has its own rise.
    gradient_clip
        Largest norm of the gradient.
    keep
        Which weights become the result: those of the ``"best"`` epoch by the mean Dice on the validation data
        `monitor`, the ``"last"``, or an exponential moving average (``"ema"``). Choosing the epoch on simulated data
        hides that a network learns the simulation's own quirks; judge by measured data or take another choice.
    ema_decay
        Weight of the past in the moving average, used where it is kept.
    monitor
        Name of the validation data that decides what is best; by default the first.
    scaling
        How the scaling of the channels is fitted: median and median absolute deviation, or mean and standard
        deviation.
    precision
        ``"auto"`` takes bf16 where the device is faster with it.
    seed
        Seed of the first weights, of the order of finite data, and of dropout.
    device
        ``"auto"`` takes an accelerator where there is one.
    workers, threads, checkpoint_steps
        Processes that prepare data (the result is the same for any number), threads of torch (None leaves them as they
        are), and steps between checkpoints beside the one after every epoch.
    stages
        Parts of the training one after the other, each with a new optimiser and its own course of the learning rate;
        without any, the training is a single one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: PositiveInt = 20
    steps_per_epoch: PositiveInt | None = None
    batch: PositiveInt = 8
    loss: str = "cross_entropy_dice"
    loss_options: dict[str, Any] = Field(default_factory=dict)
    class_weights: Weighting | tuple[PositiveFloat, ...] = "equal"
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4
    schedule: Schedule = "cosine"
    warmup: NonNegativeInt = 0
    gradient_clip: PositiveFloat | None = None
    keep: Literal["best", "last", "ema"] = "best"
    ema_decay: float = Field(default=0.99, gt=0, lt=1)
    monitor: str | None = None
    scaling: Literal["robust", "standard"] = "robust"
    precision: Literal["fp32", "bf16", "auto"] = "auto"
    seed: int = Field(default=0, ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: NonNegativeInt = 0
    threads: PositiveInt | None = None
    checkpoint_steps: PositiveInt | None = None
    stages: tuple[Stage, ...] = ()

    @model_validator(mode="after")
    def _stages_go_with_the_rest(self) -> Self:
        for stage in self.stages:
            stage.applied_to(self)
        return self

    @model_validator(mode="after")
    def _known_loss(self) -> Self:
        create_loss(self.loss, self.loss_options, None if self.class_weights == "equal" else (1.0,))
        return self

    @model_validator(mode="after")
    def _one_rise_only(self) -> Self:
        if self.schedule == "one_cycle" and self.warmup:
            raise ValueError("one_cycle has its own rise; set warmup to 0")
        return self

    def what_decides(self) -> dict[str, Any]:
        """Give the settings that the trained weights depend on."""
        settings = self.model_dump(mode="json", exclude={"device", "workers", "threads", "checkpoint_steps"})
        if not self.stages:
            del settings["stages"]
        return settings
