"""The step: a frozen config that draws its random parameters and applies them to a sample.

The split into a drawing part and a pure applying part follows the transforms of torchio v2; unlike there, no global
random state exists: every stream is handed in.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.numpy import load_file, save_file

from beamforge.arrays import join_arrays, split_arrays
from beamforge.errors import InputError, one_of
from beamforge.files import atomic_path, read_json, write_json
from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample

_REGISTRY: dict[str, type[Step]] = {}


class Step(BaseModel):
    """One stage of a scenario.

    A subclass states its config as pydantic fields and its name in the class header, and writes `apply`; it writes
    `draw` as well unless all its random parameters are `Interval` fields, which are drawn by themselves::

        class Gain(Degradation, name="gain"):
            gain: Interval = Interval(low=0.9, high=1.1)

            def apply(self, sample, parameters, rng):
                return sample.replace(image=sample.image * np.float32(parameters["gain"]))

    A step that learns from a measurement adds ``fit(stack, labels, **options) -> Step`` as a classmethod.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    step_name: ClassVar[str] = ""
    changes_labels: ClassVar[bool] = True
    """Whether `apply` may change labels; the contract tests hold steps that say no to it."""

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if name is None:
            return
        known = _REGISTRY.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two steps are named {name!r}: {known.__module__} and {cls.__module__}")
        cls.step_name = name
        _REGISTRY[name] = cls

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the random parameters for a sample, by name, JSON-able or arrays."""
        return {key: interval.draw(rng) for key, interval in self.intervals().items()}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Make the new sample; same inputs and the same state of `rng` give the same bytes."""
        raise NotImplementedError(f"the step {self.step_name!r} has no apply")

    def intervals(self) -> dict[str, Interval]:
        """Say inside which interval each numeric parameter lies: by default, the `Interval` fields."""
        fields = ((key, getattr(self, key)) for key in type(self).model_fields)
        return {key: value for key, value in fields if isinstance(value, Interval)}

    def vary(self, parameters: Parameters, rng: Generator, spread: float) -> Parameters:
        """Move the numeric parameters inside their intervals by at most `spread` of the width; keep the others."""
        moved = dict(parameters)
        for key, interval in self.intervals().items():
            moved[key] = interval.move(parameters[key], rng, spread)
        return moved

    def to_dict(self) -> dict[str, Any]:
        """Give name and config as nested dicts; arrays stay arrays."""
        return {"step": self.step_name, **self.model_dump()}

    @staticmethod
    def from_dict(config: Mapping[str, Any]) -> Step:
        """Build the step that `to_dict` described.

        Raises
        ------
        InputError
            For an unknown step, or a key or value its config does not take.
        """
        values = dict(config)
        kind = step_class(str(values.pop("step", "")))
        for key in values:
            if key not in kind.model_fields:
                raise one_of(f"setting of the step {kind.step_name!r}", key, kind.model_fields)
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            raise InputError(f"step {kind.step_name!r}: {describe(error)}") from error

    def save(self, path: str | Path) -> None:
        """Write the step to a folder: ``config.json`` and, if it holds arrays, ``arrays.safetensors``."""
        save_config(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a step from a folder.

        Raises
        ------
        InputError
            If the folder holds none or another kind of step.
        """
        step = Step.from_dict(load_config(path))
        if not isinstance(step, cls):
            raise InputError(f"{path} holds the step {step.step_name!r}, expected {cls.step_name or cls.__name__}")
        return step


class Scene(Step):
    """Writes the label image."""


class Intensity(Step):
    """Fills pixels given the labels."""

    changes_labels: ClassVar[bool] = False


class Degradation(Step):
    """Does what the instrument does."""

    changes_labels: ClassVar[bool] = False


def describe(error: ValidationError) -> str:
    """Put pydantic's findings into one line."""
    findings = []
    for finding in error.errors():
        place = ".".join(str(part) for part in finding["loc"])
        message = finding["msg"].removeprefix("Value error, ")
        findings.append(f"{place}: {message}" if place else message)
    return "; ".join(findings)


def save_config(config: Mapping[str, Any], path: str | Path) -> None:
    """Write nested dicts with arrays to a folder: JSON beside safetensors."""
    plain, arrays = split_arrays(config)
    with atomic_path(path) as folder:
        folder.mkdir()
        write_json(folder / "config.json", plain)
        if arrays:
            contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            save_file(contiguous, folder / "arrays.safetensors")


def load_config(path: str | Path) -> dict[str, Any]:
    """Read what `save_config` wrote.

    Raises
    ------
    InputError
        If the folder is not one of ours, or its arrays are missing.
    """
    folder = Path(path)
    plain = read_json(folder / "config.json")
    file = folder / "arrays.safetensors"
    arrays = load_file(file) if file.exists() else {}
    try:
        config = join_arrays(plain, arrays)
    except KeyError as error:
        raise InputError(f"{file} lacks the array {error}; copy the whole folder") from error
    if not isinstance(config, dict):
        raise InputError(f"{folder / 'config.json'} does not describe a step or a scenario")
    return config


@cache
def _import_all_steps() -> None:
    """Import every module that may register a step: ours, and those of packages that announce themselves."""
    import beamforge.simulation as package

    for folder in ("scenes", "intensities", "degradations"):
        parent = importlib.import_module(f"{package.__name__}.{folder}")
        for module in pkgutil.iter_modules(parent.__path__):
            importlib.import_module(f"{parent.__name__}.{module.name}")
    for entry in importlib.metadata.entry_points(group="beamforge.steps"):
        entry.load()


def step_class(name: str) -> type[Step]:
    """Find a step by its name.

    Raises
    ------
    InputError
        Naming the nearest step there is.
    """
    if name not in _REGISTRY:
        _import_all_steps()
    if name not in _REGISTRY:
        raise one_of("step", name, _REGISTRY)
    return _REGISTRY[name]


def step_names() -> list[str]:
    """List the names of all steps."""
    _import_all_steps()
    return sorted(_REGISTRY)
