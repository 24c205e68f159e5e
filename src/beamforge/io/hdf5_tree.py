"""Finding the images in an HDF5 file."""

from __future__ import annotations

from typing import Any

import h5py

_MOST_OBJECTS = 20_000
_DEEPEST = 16


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def describe(node: h5py.Dataset) -> str:
    """Describe a dataset in one line."""
    return f"{node.name}: {'×'.join(str(side) for side in node.shape)} {node.dtype}"


def _is_image(node: Any) -> bool:
    return isinstance(node, h5py.Dataset) and node.ndim >= 2 and node.dtype.kind in "uifb" and node.size > 0


def candidates(root: h5py.Group) -> list[str]:
    """List the paths of all numeric datasets of two or more dimensions, each once, links followed.

    Links to files that are not there are passed over here; asking for one by its path names it.
    """
    found: list[str] = []
    seen: set[Any] = set()
    waiting: list[tuple[str, int]] = [(root.name, 0)]
    while waiting and len(seen) < _MOST_OBJECTS:
        name, depth = waiting.pop()
        try:
            node = root.file.get(name)
        except (KeyError, OSError):
            continue
        if node is None or (identity := (node.file.filename, h5py.h5o.get_info(node.id).addr)) in seen:
            continue
        seen.add(identity)
        if _is_image(node):
            found.append(name)
        elif isinstance(node, h5py.Group) and depth < _DEEPEST:
            waiting += [(f"{name.rstrip('/')}/{child}", depth + 1) for child in node]
    return sorted(found)


def nexus_default(group: h5py.Group) -> str | None:
    """Follow NeXus' ``default`` and ``signal`` attributes to the dataset to be shown; None where they do not lead.

    Source: NeXus manual, "Find the plottable data".
    """
    path = group.name
    for _ in range(_DEEPEST):
        node = group.file.get(path)
        if not isinstance(node, h5py.Group):
            return None
        step = node.attrs.get("default", node.attrs.get("signal"))
        if step is None:
            return _only_signal(node)
        path = f"{path.rstrip('/')}/{_text(step)}"
        if _is_image(group.file.get(path)):
            return path
    return None


def _only_signal(group: h5py.Group) -> str | None:
    """Find the signal where no ``default`` is given: the only NXdata below that has one."""
    found = []
    for name in candidates(group):
        node = group.file[name]
        parent_path, _, own = name.rpartition("/")
        parent = group.file[parent_path or "/"]
        if _text(parent.attrs.get("signal", "")) == own or _text(node.attrs.get("signal", "")) == "1":
            found.append(name)
    return found[0] if len(found) == 1 else None
