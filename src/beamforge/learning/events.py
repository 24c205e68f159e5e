"""The log of a training: one JSON object per line, one line per epoch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from beamforge.files import full_disk_named, write_text


def append_event(path: Path, event: dict[str, Any]) -> None:
    """Write one line and see that it reaches the disk."""
    with full_disk_named(path), path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_events(path: str | Path) -> list[dict[str, Any]]:
    """Read the log; a last line that a killed process left unfinished is passed over."""
    path = Path(path)
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            events.append(json.loads(line))
    return events


def forget_events_after(path: Path, step: int) -> None:
    """Take out what was logged after a step: it will be done again."""
    kept = [event for event in read_events(path) if event["step"] <= step]
    write_text(path, "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept))
