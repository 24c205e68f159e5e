"""Simulating on several processes of this machine, which dask starts, feeds and replaces when they die."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from typing import Any

from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed, get_worker

from beamforge.errors import BeamforgeError


class _Held(WorkerPlugin):
    """Keeps a function on every worker, also on one that takes the place of a dead one.

    Data that is scattered once would be lost with the workers that hold it.
    """

    name = "beamforge-held"
    function: Callable[[int], Any]

    def __init__(self, function: Callable[[int], Any]) -> None:
        self.function = function


def _call_held(index: int) -> Any:
    held: Any = get_worker().plugins[_Held.name]
    return held.function(index)


def on_processes(function: Callable[[int], Any], indices: Sequence[int], workers: int) -> Generator[Any]:
    """Call a function with each index on worker processes and yield the results as they come.

    Parameters
    ----------
    function
        It is sent to every worker once.
    indices
        What it is called with.
    workers
        Number of processes.

    Raises
    ------
    BeamforgeError
        If processes that call it die again and again.
    """
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,  # what fails in a worker is raised here
            env={"NUMBA_NUM_THREADS": "1"},
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        client.register_plugin(_Held(function))
        futures = client.map(_call_held, indices, pure=False)
        try:
            for future in as_completed(futures):  # type: ignore[no-untyped-call]
                yield future.result()
        except KilledWorker as error:
            raise BeamforgeError(
                "worker processes died again and again at the same work, probably for want of memory; "
                "use fewer workers and run the same command again, finished parts are kept"
            ) from error
