"""Settings read from outside: unknown keys are answered with the nearest valid one."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from beamforge.errors import InputError, one_of


class Settings(BaseModel):
    """Base of everything a recipe holds: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=BaseModel)


def read_settings(kind: type[S], values: Mapping[str, Any], source: str) -> S:
    """Validate settings.

    Parameters
    ----------
    kind
        What they should be.
    values
        What was read.
    source
        Where they come from, for errors: a file or a recipe's name.

    Raises
    ------
    InputError
        One line for the first problem: the key's place, the value, what was expected; for an unknown key, the nearest
        valid one.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _explain(kind, error.errors(), source) from error


def _explain(kind: type[BaseModel], findings: list[ErrorDetails], source: str) -> InputError:
    unknown = [finding for finding in findings if finding["type"] == "extra_forbidden"]
    finding = (unknown or findings)[0]
    place, models = _walk(kind, finding["loc"])
    dotted = ".".join(place)
    if unknown:
        inside = f" in {'.'.join(place[:-1])}" if len(place) > 1 else ""
        names = {key for model in models for key in model.model_fields}
        return InputError(f"{source}: {one_of(f'key{inside}', place[-1], names)}")
    if finding["type"] == "missing":
        return InputError(f"{source}: {dotted} is missing; put it into the recipe or give --set {dotted}=…")
    message = finding["msg"].removeprefix("Value error, ")
    given = repr(finding["input"])
    return InputError(f"{source}: {dotted or 'recipe'}: {message} (found {given[:120]})")


def _walk(kind: type[BaseModel], location: Sequence[int | str]) -> tuple[list[str], list[type[BaseModel]]]:
    """Follow an error's location through the settings.

    Returns
    -------
    place
        The keys as the user wrote them: pydantic puts the chosen member of a union into the location too.
    models
        Which settings the last key was read by.
    """
    place: list[str] = []
    models: list[type[BaseModel]] = [kind]
    for position, part in enumerate(location):
        chosen = [model for model in models if part in _tags(model)]
        if chosen:
            models = chosen
            continue
        place.append(str(part))
        inside = [found for model in models for found in _models_in(_annotation(model, part))]
        if inside and position < len(location) - 1:
            models = inside
    return place, models


def _annotation(model: type[BaseModel], key: int | str) -> Any:
    """Give the type of a field; keys of mappings and places in lists have the type of what they are in."""
    field = model.model_fields.get(str(key))
    return None if field is None else field.annotation


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """Give the values by which a discriminated union knows a model."""
    field = model.model_fields.get("kind")
    return () if field is None else typing.get_args(field.annotation)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in _models_in(inner)]
