"""Sharing blocks between threads, where products of matrices have too few rows to be shared themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits

Run = Callable[..., Iterator[Any]]
"""How work on blocks is run: `map`, or that of a pool of threads; results come in the order of the blocks."""


@contextlib.contextmanager
def shared_blocks() -> Iterator[Run]:
    """Give a `map` on as many threads as the BLAS library has, each of whose products runs on one thread."""
    threads = [int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas"]
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(threads, default=1)) as pool:
        yield pool.map
