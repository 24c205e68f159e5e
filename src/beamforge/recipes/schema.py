"""What all recipes share, and the kinds of recipe there are."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, NonNegativeInt, field_validator

from beamforge.errors import InputError, one_of
from beamforge.learning import TrainingConfig
from beamforge.recipes import kinds
from beamforge.recipes.places import Places
from beamforge.recipes.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from beamforge.recipes.stages import Run
    from beamforge.simulation import Scenario

DEFAULT_KIND = "measurement"
"""The kind of a recipe that names none."""
_LONGEST = 100
"""Characters of a name that becomes a folder's."""


@dataclass(frozen=True, kw_only=True)
class Outcome(ABC):
    """What a run leaves for the user.

    Attributes
    ----------
    report
        The HTML report.
    files
        What else a user opens, by what it is: labels, models, tables.
    """

    report: Path
    files: Mapping[str, Path] = field(default_factory=dict)

    @abstractmethod
    def table(self) -> Table:
        """Give the results as a table for a terminal."""

    @abstractmethod
    def scores(self) -> dict[str, dict[str, float]]:
        """Give the figures of the table: name of the row, name of the figure, value; for statistics over runs."""

    def trials(self) -> dict[str, int]:
        """Give, by the name of a figure, how many independent judged items it is a proportion of, if it is one."""
        return {}


class RecipeBase(Settings, ABC):
    """All settings of a run, whatever its kind.

    A kind is a module in ``recipes/kinds``, named like the kind, with one subclass whose field ``kind`` is a literal of
    that name. Nothing else lists it.
    """

    _classes: ClassVar[dict[str, type[RecipeBase]]] = {}

    kind: str = DEFAULT_KIND
    name: str
    description: str = ""
    seed: NonNegativeInt = 0
    folder: str | None = None
    """Where relative paths of data start; by default the recipe's own folder."""
    home: str | None = Field(default=None, exclude=True, repr=False)
    """Folder of the recipe's file; set by the loader."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        kind = cls.model_fields["kind"].default
        if cls.__module__ == f"{kinds.__name__}.{kind}":
            RecipeBase._classes[kind] = cls

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        return folder_name(name)

    def with_seed(self, seed: int) -> Self:
        """Give the same recipe under another seed, that of its trainings included."""
        settings = ((name, getattr(self, name)) for name in type(self).model_fields)
        trainings = {
            name: value.model_copy(update={"seed": seed})
            for name, value in settings
            if isinstance(value, TrainingConfig)
        }
        return self.model_copy(update={"seed": seed, **trainings})

    @property
    def places(self) -> Places:
        """Where its data are looked for."""
        return Places(self.folder, self.home)

    @abstractmethod
    def run(self, stages: Run) -> Outcome:
        """Do everything the recipe says, stage by stage, in the run's folder."""

    @abstractmethod
    def write_report(self, stages: Run) -> Path:
        """Write the report again from what the stages of a finished run left, and say where it is."""

    def scenario(self, stages: Run) -> Scenario:
        """Give what the recipe simulates with, fitted where it learns from data.

        Raises
        ------
        InputError
            If recipes of this kind simulate nothing.
        """
        raise InputError(f"{self.name}: a recipe of the kind {self.kind!r} holds no generator to simulate with")


def folder_name(name: str) -> str:
    """Check that a name can be a folder's, and give it back.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not name.isprintable() or name != name.strip() or name.startswith(".") or not 0 < len(name) <= _LONGEST:
        raise ValueError(f"{name!r} cannot name a folder of the run; take 1 to {_LONGEST} letters")
    if {"/", "\\"} & set(name):
        raise ValueError(f"{name!r} names a folder of the run, so it cannot hold a slash")
    return name


def recipe_kinds() -> list[str]:
    """List the kinds of recipe there are."""
    return sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))


def recipe_class(kind: str) -> type[RecipeBase]:
    """Give the settings of a kind of recipe; only that kind's module is imported.

    Raises
    ------
    InputError
        Naming the nearest kind there is.
    """
    known = recipe_kinds()
    if kind not in known:
        raise one_of("kind of recipe", kind, known)
    importlib.import_module(f"{kinds.__name__}.{kind}")
    return RecipeBase._classes[kind]
