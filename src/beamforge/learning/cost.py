"""What a network costs: parameters, operations, memory and time, each measured in a fresh process."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, PositiveInt

from beamforge.errors import BeamforgeError
from beamforge.learning.config import NetworkConfig

if TYPE_CHECKING:
    from torch import nn

_WARM_UP = 2


class Cost(BaseModel):
    """What a network costs on this machine.

    Attributes
    ----------
    parameters
        Trained numbers.
    macs
        Multiplications with addition of one image of `size`: those of convolutions and matrix products.
    size
        Side lengths (y, x) of the image in px.
    batch
        Images predicted at once.
    predict_seconds
        Median time per image after two runs to warm up.
    predict_bytes
        Peak memory of the process while it predicts beyond what the idle process with the network held.
    train_bytes
        The same for one step of training.
    train_tile, train_batch
        Side in px and number of the tiles of that step.
    threads
        Threads of torch.
    device
        Where it ran.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: int
    macs: int
    size: tuple[int, int]
    batch: PositiveInt
    predict_seconds: float
    predict_bytes: int
    train_bytes: int
    train_tile: PositiveInt
    train_batch: PositiveInt
    threads: PositiveInt
    device: str


def measure_cost(
    network: NetworkConfig,
    channels: int,
    classes: int,
    size: tuple[int, int],
    *,
    batch: int = 1,
    repeats: int = 5,
    train_tile: int = 128,
    train_batch: int = 8,
    threads: int | None = None,
) -> Cost:
    """Measure what a network costs, in a process of its own: memory that others left behind would hide its peak.

    Parameters
    ----------
    network
        Which network; its weights do not matter.
    channels, classes
        Of images and labels.
    size
        (y, x) of the images to predict in px.
    batch
        Images predicted at once.
    repeats
        Timed runs.
    train_tile, train_batch
        Side in px and number of the tiles of the training step.
    threads
        Threads of torch; by default its own choice.

    Raises
    ------
    BeamforgeError
        If the process ends without a result, as where memory is short.
    """
    settings = (network.model_copy(update={"weights": "random"}), channels, classes, size, batch, repeats)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_measure, *settings, train_tile, train_batch, threads).result()
        except BrokenProcessPool as error:
            raise BeamforgeError(
                f"{network.architecture} {network.encoder or ''} was ended by the system on {batch} images of "
                f"{size[0]}×{size[1]} px, as where memory is short; take smaller images or batches"
            ) from error


def count_macs(network: nn.Module, channels: int, size: tuple[int, int]) -> int:
    """Count the multiplications with addition of one image (channel, y, x): half of torch's operations.

    Parameters
    ----------
    network
        Maps images (batch, channel, y, x).
    channels
        Of the images.
    size
        (y, x) in px.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network.eval()(torch.zeros(1, channels, *size))
    return int(counter.get_total_flops()) // 2


def _measure(
    config: NetworkConfig,
    channels: int,
    classes: int,
    size: tuple[int, int],
    batch: int,
    repeats: int,
    train_tile: int,
    train_batch: int,
    threads: int | None,
) -> Cost:
    import torch

    from beamforge.learning.network import create_network

    if threads is not None:
        torch.set_num_threads(threads)
    network = create_network(config, channels, classes).to(memory_format=torch.channels_last)
    idle = peak_memory()
    seconds = _predict(network.eval(), (batch, channels, *size), repeats)
    predicting = peak_memory()
    forget_peak_memory()
    before = peak_memory()
    _train(network.train(), (train_batch, channels, train_tile, train_tile))
    return Cost(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=count_macs(network, channels, size),
        size=size,
        batch=batch,
        predict_seconds=seconds / batch,
        predict_bytes=max(predicting - idle, 0),
        train_bytes=max(peak_memory() - before, 0),
        train_tile=train_tile,
        train_batch=train_batch,
        threads=torch.get_num_threads(),
        device="cpu",
    )


def _predict(network: nn.Module, shape: tuple[int, ...], repeats: int) -> float:
    """Give the median time of a batch in seconds, once warm."""
    import torch

    images = torch.zeros(shape).contiguous(memory_format=torch.channels_last)
    seconds = []
    with torch.inference_mode():
        for _ in range(_WARM_UP + repeats):
            start = time.perf_counter()
            network(images)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[_WARM_UP:])


def _train(network: nn.Module, shape: tuple[int, ...]) -> None:
    import torch

    from beamforge.learning.losses import create_loss

    loss, optimizer = create_loss("cross_entropy_dice", {}), torch.optim.AdamW(network.parameters())
    images = torch.zeros(shape).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(shape[0], *shape[2:], dtype=torch.int64)
    for _ in range(2):  # the optimiser's memory appears with the first step
        optimizer.zero_grad()
        loss(network(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def forget_peak_memory() -> None:
    """Let the peak begin anew with what is held now, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Give the most memory in bytes that this process has held so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike getrusage, this does not begin with the size of the process that started this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
