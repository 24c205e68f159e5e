"""From a recipe's list of steps to a scenario that looks like the user's pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.random import Generator
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.recipes.kinds.micrographs import LookSettings
from beamforge.recipes.micrographs.pictures import CLASSES, Picture
from beamforge.simulation import Scenario, Step, step_class
from beamforge.simulation.scenes.voronoi_grains import VoronoiGrains
from beamforge.simulation.step import describe
from beamforge.stack import Channel

FIT_TO = "fit_to"


def build_look(
    name: str,
    settings: LookSettings,
    pictures: Sequence[Picture],
    channels: tuple[Channel, ...],
    tile: int,
    rng: Generator,
) -> Scenario:
    """Build a scenario, learning from pictures what is to be learnt from them.

    ``tile`` and ``channels`` are filled in where a step has such a setting and the recipe leaves it out.

    Raises
    ------
    InputError
        For an unknown step or setting, or pictures that cannot be learnt from.
    """
    known = {"tile": tile, "channels": len(channels)}
    steps = tuple(_step(step, pictures, known, rng) for step in settings.steps)
    return Scenario(name=name, steps=steps, classes=CLASSES, channels=channels)


def _step(config: Mapping[str, Any], pictures: Sequence[Picture], known: Mapping[str, Any], rng: Generator) -> Step:
    own = {key: value for key, value in config.items() if key not in ("step", FIT_TO)}
    kind = step_class(str(config.get("step", "")))
    own |= {key: value for key, value in known.items() if key in kind.model_fields and key not in own}
    if FIT_TO not in config or not pictures:
        return Step.from_dict({"step": kind.step_name, **own})
    learn = getattr(kind, FIT_TO, None)
    if learn is None:
        raise InputError(f"the step {kind.step_name!r} learns from no pictures; leave `{FIT_TO}` out")
    names = [picture.name for picture in pictures]
    try:
        step: Step = learn([p.image for p in pictures], rng, names=names, **{**own, **dict(config[FIT_TO] or {})})
    except ValidationError as error:
        raise InputError(f"step {kind.step_name!r}: {describe(error)}") from error
    return step


def with_thickness(scenario: Scenario, thickness: float) -> Scenario:
    """Draw boundaries as wide as an annotator does, in px."""
    fixed = {"thickness": (thickness, thickness)}
    steps = tuple(
        VoronoiGrains.model_validate({**step.model_dump(), **fixed}) if isinstance(step, VoronoiGrains) else step
        for step in scenario.steps
    )
    return scenario.model_copy(update={"steps": steps})
