"""A run folder: stages that are whole or absent, skipped when done, redone when what they rest on has changed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from beamforge._version import __version__
from beamforge.errors import InputError
from beamforge.files import atomic_path, full_disk_named, read_json, write_json

_MARKER = "stage.json"


class Run:
    """A folder in which stages leave their results.

    Every stage has a folder of its own and a key: the hash of its settings, the version, and the keys of the stages
    it rests on. A stage whose folder carries the same key is finished and is skipped; any other is made anew.
    """

    def __init__(self, folder: str | Path, console: Console | None = None) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder} is a file, a run needs a folder; give another with -o")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._console = console or Console(stderr=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process out of the folder.

        Raises
        ------
        InputError
            If another process works in it.
        FullDiskError
            If the disk is full; finished stages are kept.
        """
        with full_disk_named(self.folder), (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"{self.folder}: another run works in this folder; wait for it or choose another -o"
                ) from error
            yield

    def stage(self, name: str, settings: Any, after: Sequence[str], make: Callable[[Path, Path], None]) -> Path:
        """Make a stage's folder unless it is there already.

        Parameters
        ----------
        name
            The stage's folder inside the run, such as ``train/correlated``.
        settings
            All it depends on besides other stages, JSON-able.
        after
            Names of the stages it rests on.
        make
            Called with the folder to fill and a scratch folder that survives a kill, so that long work can go on
            where it was.

        Returns
        -------
        Path
            The finished folder.
        """
        key = _hash(
            {"stage": name, "settings": settings, "version": __version__, "after": [self.keys[a] for a in after]}
        )
        self.keys[name] = key
        folder = self.folder / name
        done = _marker(folder)
        if done is not None and done["key"] == key:
            self.seconds[name] = done["seconds"]
            self._log(name, "skipped")
            return folder
        scratch = self._scratch(name, key)
        self._log(name, "started")
        start = time.perf_counter()
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            make(temporary, scratch)
            self.seconds[name] = time.perf_counter() - start
            seconds = round(self.seconds[name], 3)
            record = {"key": key, "seconds": seconds, "after": list(after), "settings": settings}
            write_json(temporary / _MARKER, {**record, "beamforge": __version__})
        shutil.rmtree(scratch, ignore_errors=True)
        self._log(name, "finished", seconds=round(self.seconds[name], 2))
        return folder

    def recall(self) -> None:
        """Read how long the finished stages of an earlier run took."""
        for marker in sorted(self.folder.rglob(_MARKER)):
            name = marker.parent.relative_to(self.folder).as_posix()
            if not name.startswith("."):
                self.seconds[name] = read_json(marker)["seconds"]

    def _scratch(self, name: str, key: str) -> Path:
        """Give the scratch folder of a stage; one left by other settings is cleared."""
        scratch = self.folder / ".scratch" / name.replace("/", "_")
        marker = scratch / "key"
        if scratch.exists() and (not marker.exists() or marker.read_text() != key):
            shutil.rmtree(scratch)
        scratch.mkdir(parents=True, exist_ok=True)
        marker.write_text(key)
        return scratch

    def _log(self, stage: str, state: str, **more: Any) -> None:
        event = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "stage": stage, "state": state, **more}
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(event) + "\n")
        took = f" ({more['seconds']:.1f} s)" if "seconds" in more else ""
        self._console.print(f"{stage}: {state}{took}", highlight=False)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _marker(folder: Path) -> dict[str, Any] | None:
    file = folder / _MARKER
    return read_json(file) if file.exists() else None
