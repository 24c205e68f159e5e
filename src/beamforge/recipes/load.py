"""Finding, reading and overriding recipes."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from beamforge.errors import InputError, one_of
from beamforge.recipes.schema import DEFAULT_KIND, RecipeBase, recipe_class, recipe_kinds
from beamforge.recipes.settings import read_settings

_MOST_VALUES = 100_000
_NAME_PATTERN = re.compile(r"\{\w+\}[\w./-]+")

_SHIPPED = resources.files("beamforge.recipes") / "shipped"


def shipped_recipes() -> dict[str, str]:
    """List the recipes that come with the package: names to one-line descriptions."""
    return {name: str(_parse(text, name).get("description", "")) for name, text in _shipped_texts().items()}


def recipe_text(name: str) -> str:
    """Give the YAML of a shipped recipe, to save and change.

    Raises
    ------
    InputError
        Naming the nearest recipe there is.
    """
    texts = _shipped_texts()
    if name not in texts:
        raise one_of("recipe", name, texts)
    return texts[name]


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> RecipeBase:
    """Read a recipe by a shipped name or from a YAML file.

    Parameters
    ----------
    name_or_path
        A name `shipped_recipes` lists, or a file.
    overrides
        Settings to change, each ``dotted.key=value`` with the value in YAML.

    Raises
    ------
    InputError
        For an unknown name, unreadable YAML, and unknown or unfit settings.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.exists():
            raise InputError(f"{path}: no such recipe; check the path, or take one that `beamforge recipes` lists")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as a recipe ({error})") from error
        source, home = str(path), str(path.resolve().parent)
    else:
        text, source, home = recipe_text(str(name_or_path)), f"recipe {name_or_path}", None
    values = _parse(text, source)
    for override in overrides:
        _override(values, override)
    recipe = read_settings(_class_for(values, source), values, source)
    return recipe.model_copy(update={"home": home})


def _class_for(values: dict[str, Any], source: str) -> type[RecipeBase]:
    try:
        return recipe_class(str(values.get("kind", DEFAULT_KIND)))
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _shipped_texts() -> dict[str, str]:
    files = sorted(_SHIPPED.iterdir(), key=lambda file: file.name)
    recipes = [file for file in files if file.name.endswith(".yaml")]
    return {file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8") for file in recipes}


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(f"{source} holds {type(values).__name__}, a recipe is a mapping of settings")
    _refuse_bomb(values, source)
    return values


def _refuse_bomb(values: dict[str, Any], source: str) -> None:
    """Refuse a few lines of YAML whose references to one another unfold into more than any recipe says."""
    waiting: list[Any] = [values]
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > _MOST_VALUES:
            raise InputError(f"{source} unfolds to more than {_MOST_VALUES} values; no recipe does, it is refused")
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Build settings from ``dotted.key=value`` texts alone.

    Raises
    ------
    InputError
        For a text of another form.
    """
    values: dict[str, Any] = {}
    for override in overrides:
        _override(values, override)
    return values


def _override(values: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals:
        raise InputError(f"--set {override!r}: expected dotted.key=value, such as training.epochs=20")
    try:
        # A pattern of names such as {stem}.png is text, though YAML takes its beginning for a mapping.
        value = text if _NAME_PATTERN.fullmatch(text) else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(
            f"--set {override!r}: the value is not YAML; text with brackets or colons needs quotes of its own, such as "
            "'key=\"a: b\"'"
        ) from error
    *parents, last = dotted.split(".")
    place: Any = values
    for part in parents:
        if isinstance(place, dict):
            place.setdefault(part, {})
        if not isinstance(place, dict | list):
            break
        place = place[_key(place, part, override)]
    if not isinstance(place, dict | list):
        raise InputError(f"--set {override!r}: {'.'.join(parents)} holds a single value, it has no {last!r}")
    place[_key(place, last, override)] = value


def _key(place: Any, part: str, override: str) -> Any:
    """Turn a part of a dotted key into what indexes the mapping or list it is in."""
    if not isinstance(place, list):
        return part
    if not part.isdigit() or int(part) >= len(place):
        raise InputError(f"--set {override!r}: {part!r} counts items of a list of {len(place)}; count from 0")
    return int(part)


def recipe_schema() -> str:
    """Give the JSON schema of recipes of all kinds, as shipped beside them for editors that complete YAML."""
    kinds = tuple(recipe_class(kind) for kind in recipe_kinds())
    union = TypeAdapter[Any](functools.reduce(operator.or_, kinds))
    return json.dumps(union.json_schema(), indent=1, sort_keys=True) + "\n"
