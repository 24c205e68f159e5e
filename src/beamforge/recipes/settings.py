"""Settings read from outside: unknown keys are answered with the nearest valid one."""

from __future__ import annotations

import typing
from collections.abc import Mapping
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
    unknown = [f for f in findings if f["type"] == "extra_forbidden"]
    finding = (unknown or findings)[0]
    place = [part for part in finding["loc"] if not _is_union_tag(part)]
    dotted = ".".join(str(part) for part in place)
    if unknown:
        names = _keys_at(kind, finding["loc"][:-1])
        inside = f" in {dotted.rpartition('.')[0]}" if "." in dotted else ""
        return InputError(f"{source}: {one_of(f'key{inside}', finding['loc'][-1], names)}")
    message = finding["msg"].removeprefix("Value error, ")
    if finding["type"] == "missing":
        return InputError(f"{source}: {dotted} is missing")
    given = repr(finding["input"])
    return InputError(f"{source}: {dotted or 'recipe'}: {message} (found {given[:120]})")


def _is_union_tag(part: int | str) -> bool:
    """Tell pydantic's own markers in an error's place from keys the user wrote."""
    return isinstance(part, str) and ("[" in part or part.startswith("tagged-union"))


def _keys_at(kind: type[BaseModel], place: tuple[int | str, ...]) -> set[str]:
    """Collect the keys that are valid at a place inside the settings."""
    current: list[Any] = [kind]
    for part in place:
        reached = [inner for one in current for inner in _models_under(one, part)]
        current = reached or current
    return {key for one in current if _is_model(one) for key in one.model_fields}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _models_under(kind: Any, part: int | str) -> list[Any]:
    if not _is_model(kind):
        return []
    if part in kind.model_fields:
        return _models_in(kind.model_fields[part].annotation)
    # A discriminated union puts the chosen tag into the place: keep the member whose tag it is.
    tags = [typing.get_args(field.annotation) for name, field in kind.model_fields.items() if name == "kind"]
    return [kind] if any(part in tag for tag in tags) else []


def _models_in(annotation: Any) -> list[Any]:
    if _is_model(annotation):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in _models_in(inner)]
