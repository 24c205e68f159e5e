"""From a recipe's generator to a scenario, fitted to the annotated measurement."""

from __future__ import annotations

import inspect
from collections.abc import Container, Mapping
from typing import Any

import xarray as xr
from numpy.random import Generator

from beamforge.errors import InputError, one_of
from beamforge.recipes.kinds.measurement import GeneratorSettings
from beamforge.simulation import Scenario, Step, step_class
from beamforge.stack import channels_of, classes_of


def fit_scenario(
    name: str, settings: GeneratorSettings, stack: xr.DataArray, labels: xr.DataArray, tile: int, rng: Generator
) -> Scenario:
    """Build a generator's scenario.

    Parameters
    ----------
    name
        The generator's name.
    settings
        Its steps; those with a key ``fit`` learn from the measurement.
    stack, labels
        The annotated measurement.
    tile
        Side of a tile in px, for the scenes that do not set it.
    rng
        Random stream of the fits (dither of whole numbers).

    Raises
    ------
    InputError
        For an unknown step or setting, or a measurement that cannot be fitted.
    """
    filled = {"classes": len(classes_of(labels)), "tile": tile}
    steps = [build_step(step, filled, stack, labels, rng) for step in settings.steps]
    return Scenario(
        name=name,
        steps=tuple(steps),
        classes=classes_of(labels),
        channels=channels_of(stack),
        pixel_size=stack.attrs.get("pixel_size"),
        pixel_size_unit=stack.attrs.get("pixel_size_unit", "µm"),
    )


def build_step(
    config: Mapping[str, Any], filled: Mapping[str, int], stack: xr.DataArray, labels: xr.DataArray, rng: Generator
) -> Step:
    """Build a step, fitted to a measurement if its config has a key ``fit``.

    Parameters
    ----------
    config
        The step's name under ``step``, its settings, and perhaps ``fit`` with options.
    filled
        Settings that are put in where the step has such and the config leaves them out.
    stack, labels
        The annotated measurement.
    rng
        Random stream of the fit.

    Raises
    ------
    InputError
        For an unknown step or setting, or a measurement that cannot be fitted.
    """
    kind = step_class(str(config.get("step", "")))
    own = {key: value for key, value in config.items() if key not in ("step", "fit")}
    if "fit" not in config:
        return Step.from_dict({"step": kind.step_name, **_known(filled, kind.model_fields), **own})
    fit = getattr(kind, "fit", None)
    if fit is None:
        raise InputError(f"the step {kind.step_name!r} has nothing to fit; leave `fit` out")
    taken = [name for name in inspect.signature(fit).parameters if name not in ("stack", "labels")]
    options = {**own, **(config["fit"] or {})}
    for key in options:
        if key not in taken or key == "rng":
            raise one_of(f"option of fitting the step {kind.step_name!r}", key, set(taken) - {"rng"})
    step: Step = fit(stack, labels, **{**_known({**filled, "rng": rng}, taken), **options})
    return step


def _known(given: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in names}
