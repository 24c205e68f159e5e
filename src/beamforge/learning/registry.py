"""Registries by name: every module of a package registers what it defines; no list is kept elsewhere."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from beamforge.errors import one_of

T = TypeVar("T", bound=Callable[..., Any])


class Registry(Generic[T]):
    """What is known under a name, such as the losses.

    Parameters
    ----------
    kind
        What an entry is called in errors.
    package
        Package whose modules register entries; they are imported when a name is first asked for. Other installed
        packages announce modules of theirs as entry points of the group of the same name.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._complete = False

    def add(self, name: str, entry: T) -> None:
        """Register an entry; a name belongs to one only."""
        known = self._entries.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (entry.__module__, entry.__qualname__):
            raise TypeError(f"the {self.kind} {name!r} is defined in {known.__module__} and {entry.__module__}")
        self._entries[name] = entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a function or class to register it."""

        def decorate(entry: T) -> T:
            self.add(name, entry)
            return entry

        return decorate

    def names(self) -> list[str]:
        """List the names."""
        self._import_all()
        return sorted(self._entries)

    def __getitem__(self, name: str) -> T:
        """Find an entry.

        Raises
        ------
        InputError
            Naming the nearest entry there is.
        """
        if name not in self._entries:
            self._import_all()
        if name not in self._entries:
            raise one_of(self.kind, name, self._entries)
        return self._entries[name]

    def _import_all(self) -> None:
        if self._complete:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
        for entry in importlib.metadata.entry_points(group=self._package):
            entry.load()
        self._complete = True
