"""From a recipe's list of steps to a scenario, some of them made from the user's own files."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from beamforge.errors import InputError, one_of
from beamforge.files import write_json
from beamforge.io import open_stack
from beamforge.provenance import provenance
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.kinds.simulation import ScenarioSettings
from beamforge.recipes.places import Places
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import stream
from beamforge.simulation import Scenario, Step, step_class

FILES = "files"
STAGE = "generator"
"""Stage of a run that builds its scenario."""


def build_in_run(run: Run, name: str, settings: ScenarioSettings, places: Places, seed: int) -> None:
    """Build a scenario in a stage of a run, fitting what is fitted to the user's files; see `build_scenario`."""
    files = files_of(settings.steps, places)
    config = {"generator": settings.model_dump(mode="json"), "files": fingerprint(files), "seed": seed}

    def make(folder: Path, _: Path) -> None:
        build_scenario(name, settings, places, stream(seed, STAGE)).save(folder / "scenario")
        write_json(folder / "provenance.json", provenance(simulated=True, inputs=files, seed=seed))

    run.stage(STAGE, config, [], make)


def built_in_run(run: Run) -> Scenario:
    """Load the scenario that `build_in_run` built."""
    return Scenario.load(run.folder / STAGE / "scenario")


def build_scenario(name: str, settings: ScenarioSettings, places: Places, rng: Generator) -> Scenario:
    """Build a scenario.

    A step with a key ``files`` is made by its class method ``from_files``. Under the key stand that method's options;
    each text among them is a path, whose frames (frame, y, x) the method is given in its place.

    Parameters
    ----------
    name
        Of the scenario.
    settings
        Classes, channels and steps.
    places
        Where files are looked for.
    rng
        Random stream of the fits.

    Raises
    ------
    InputError
        For an unknown step or setting, or files that cannot be used.
    """
    return Scenario(
        name=name,
        steps=tuple(build_step(step, places, rng) for step in settings.steps),
        classes=settings.named_classes(),
        channels=settings.channels,
        pixel_size=settings.pixel_size,
    )


def build_step(config: Mapping[str, Any], places: Places, rng: Generator) -> Step:
    """Build one step; see `build_scenario`."""
    if FILES not in config:
        return Step.from_dict(config)
    kind = step_class(str(config.get("step", "")))
    make = getattr(kind, "from_files", None)
    if make is None:
        raise InputError(f"the step {kind.step_name!r} is made from no files; leave `files` out")
    taken = set(inspect.signature(make).parameters)
    options = {key: value for key, value in config.items() if key not in ("step", FILES)} | dict(config[FILES] or {})
    for key in options:
        if key not in taken - {"rng"}:
            raise one_of(f"option of the step {kind.step_name!r} made from files", key, taken - {"rng"})
    missing = [
        key
        for key, parameter in inspect.signature(make).parameters.items()
        if parameter.default is parameter.empty and key != "rng" and key not in options
    ]
    if missing:
        raise InputError(f"the step {kind.step_name!r} made from files needs {', '.join(missing)}")
    given = {key: _opened(value, places) for key, value in options.items()}
    step: Step = make(**given, **({"rng": rng} if "rng" in taken else {}))
    return step


def files_of(steps: Iterable[Mapping[str, Any]], places: Places) -> list[str]:
    """Find the files that steps are made from."""
    found: list[str] = []
    for step in steps:
        for value in (step.get(FILES) or {}).values():
            texts = value if isinstance(value, list | tuple) else [value]
            found += [places.find(text) for text in texts if isinstance(text, str)]
    return found


def _opened(value: Any, places: Places) -> Any:
    """Read the frames of paths, one after the other, and leave all else as it is."""
    if isinstance(value, str):
        return np.asarray(open_stack(places.find(value)).values)
    if isinstance(value, list | tuple) and value and all(isinstance(path, str) for path in value):
        return [frame for path in value for frame in np.asarray(open_stack(places.find(path)).values)]
    return value
