"""Checkpoints: all that a training needs to go on exactly as if it had never stopped, in one safetensors file.

One file is replaced by one rename, so that at any moment a whole checkpoint is there. Learning rates, the order of the
data and dropout depend on the step's number alone and need no state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.learning.scaling import Scaling
from beamforge.simulation.step import describe

_KEY = "beamforge"


class Progress(BaseModel):
    """How far a training is.

    Attributes
    ----------
    settings
        All settings the weights depend on; a training goes on only under the same ones.
    scaling
        Scaling of the channels.
    step
        Steps done.
    loss_sum
        Sum of the losses of the steps done in the epoch that is under way.
    seconds
        Time spent, over all sittings.
    best_epoch, best_dice
        The best epoch so far.
    """

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any]
    scaling: Scaling
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    best_epoch: int | None = None
    best_dice: float | None = None


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors atomically as safetensors."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(plain, temporary, metadata=metadata)


def save_checkpoint(path: Path, progress: Progress, tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint atomically."""
    save_tensors(path, tensors, {_KEY: progress.model_dump_json()})


def load_checkpoint(path: Path) -> tuple[Progress, dict[str, Tensor]]:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is not a checkpoint of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a readable checkpoint ({error}); remove it to start again") from error
    if text is None:
        raise InputError(f"{path} is not a checkpoint of beamforge; remove it to start again")
    try:
        return Progress.model_validate(json.loads(text)), tensors
    except ValidationError as error:
        raise InputError(f"{path}: {describe(error)}; it is of another version, remove it to start again") from error


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Name the tensors of an optimiser's state; parameters that never had a gradient have none."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value
        for number, values in state.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors of `optimizer_tensors` back."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        parameter = parameters[int(number)]
        if value.shape == parameter.shape and name != "step":
            # Fused optimisers walk through memory: their state must lie as the parameter does.
            value = torch.empty_like(parameter).copy_(value)
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors of one part, such as ``network``."""
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def prefixed(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Name tensors as those of one part."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}
