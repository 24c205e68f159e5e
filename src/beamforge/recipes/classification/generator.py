"""From the recipe's steps to a scenario, learnt from pictures where there are some."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.random import Generator

from beamforge.errors import InputError, one_of
from beamforge.io import AnnotatedPicture
from beamforge.recipes.kinds.classification import TileGenerator
from beamforge.simulation import Scenario, Step, step_class

LEARNT, FIT = "learnt", "fit"


def build_scenario(
    name: str, settings: TileGenerator, tile: int, pictures: Sequence[AnnotatedPicture], rng: Generator
) -> Scenario:
    """Build the scenario.

    Parameters
    ----------
    name
        Of the scenario.
    settings
        Its steps; see `TileGenerator`.
    tile
        Side of a tile in px, for the steps that have such a setting and do not state it.
    pictures
        Those to learn from; none for what is built in.
    rng
        Random stream of the fits.

    Raises
    ------
    InputError
        For an unknown step or setting, or pictures that cannot be learnt from.
    """
    steps = []
    for config in settings.steps:
        own = {key: value for key, value in config.items() if key != LEARNT}
        chosen = config.get(LEARNT, own) if pictures else own
        if not isinstance(chosen, Mapping):
            raise InputError(f"`learnt` of the step {config.get('step')!r} holds {chosen!r}, expected a step")
        steps.append(_build(chosen, tile, pictures, rng))
    return Scenario(name=name, steps=tuple(steps), classes=settings.named_classes, channels=settings.channels)


def _build(config: Mapping[str, Any], tile: int, pictures: Sequence[AnnotatedPicture], rng: Generator) -> Step:
    kind = step_class(str(config.get("step", "")))
    own = {key: value for key, value in config.items() if key != FIT}
    if FIT not in config:
        return Step.from_dict({**({"tile": tile} if "tile" in kind.model_fields else {}), **own})
    fit = getattr(kind, "fit", None)
    if fit is None:
        raise InputError(f"the step {kind.step_name!r} has nothing to fit; leave `fit` out")
    if not pictures:
        raise InputError(f"the step {kind.step_name!r} is fitted, but there are no pictures; put it under `learnt`")
    taken = set(inspect.signature(fit).parameters) - {"stack", "labels", "rng"}
    options = {key: value for key, value in own.items() if key != "step"} | dict(config[FIT] or {})
    for key in options:
        if key not in taken:
            raise one_of(f"option of fitting the step {kind.step_name!r}", key, taken)
    filled = {"tile": tile} if "tile" in taken else {}
    random = {"rng": rng} if "rng" in inspect.signature(fit).parameters else {}
    stacks, labels = [picture.stack for picture in pictures], [picture.labels for picture in pictures]
    step: Step = fit(stacks, labels, **{**filled, **options}, **random)
    return step
