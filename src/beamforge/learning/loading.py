"""Batches from data, prepared by any number of workers with the same result."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterable, Iterator
from multiprocessing.context import BaseContext
from typing import cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from beamforge.learning.plan import LabelledTiles

Batch = tuple[Tensor, Tensor]


def load(data: LabelledTiles, batches: Iterable[list[int]], workers: int) -> Iterator[Batch]:
    """Make batches of the samples with these numbers, in this order.

    Samples depend on their number alone, so it does not matter which worker makes them.
    """
    with warnings.catch_warnings():
        # More workers than cores are the user's choice, and right where they wait for a disk.
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        loader = DataLoader(
            cast("Dataset[Batch]", data),
            batch_sampler=batches,
            num_workers=workers,
            multiprocessing_context=worker_context() if workers else None,
            generator=torch.Generator(),  # else making the loader would draw from the global stream
            pin_memory=torch.cuda.is_available(),
        )
        return iter(loader)


def worker_context() -> BaseContext:
    """Give the multiprocessing context in which workers start.

    A fork of this process would copy the locks and thread pools of numba, OpenMP and torch in whatever state they
    are in, which is known to hang. The fork server is a process that has imported everything and run nothing: workers
    forked from it start in milliseconds. Scripts need the guard ``if __name__ == "__main__":``.
    """
    context: BaseContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["beamforge.learning.data"])
    return context


def in_order(length: int, batch: int, process: int, processes: int) -> list[list[int]]:
    """Split the numbers 0..length-1 into batches, those of one of several processes."""
    numbers = list(range(process, length, processes))
    return [numbers[first : first + batch] for first in range(0, len(numbers), batch)]
