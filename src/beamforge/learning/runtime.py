"""Where and how a training computes: device, processes, precision, threads, random streams."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import DistributedDataParallelKwargs

from beamforge.learning.trained import choose_device


def create_accelerator(device: Literal["auto", "cpu", "cuda"]) -> Accelerator:
    """Set up accelerate on a device.

    accelerate keeps one device for the whole process; a training that asks for another one gets a fresh state. bf16
    is switched on by `precision_of` instead of by accelerate, which keeps one precision for the whole process too.
    """
    chosen = choose_device(device)
    if PartialState._shared_state and PartialState().device.type != chosen.type:
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()
    # Encoders may have stages that a decoder of smaller depth does not use.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(cpu=chosen.type == "cpu", mixed_precision="no", kwargs_handlers=[unused])


def precision_of(setting: Literal["fp32", "bf16", "auto"], device: torch.device) -> torch.dtype:
    """Choose the precision of the network's convolutions: bf16 by itself only where the device computes in it.

    On a processor with AVX512-bf16 a training step takes 0.5 to 0.6 of its time in fp32.
    """
    if setting == "auto":
        if device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            fast = torch.cpu._is_avx512_bf16_supported()
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if setting == "bf16" else torch.float32


@contextlib.contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Let torch use this many threads inside the block; None leaves the number as it is."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def own_random_state(device: torch.device) -> Iterator[None]:
    """Leave torch's global random state as it was before the block."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_step(seed: int, step: int, process: int) -> None:
    """Give dropout a random stream that depends on nothing but these numbers, so that no state has to be kept."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, process]).generate_state(1, np.uint64)[0]))
