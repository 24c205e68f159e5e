"""``beamforge recipes``: the recipes that come with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe's YAML, to save and change.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes.")] = False,
) -> None:
    """List the shipped recipes, or print one of them."""
    from beamforge.recipes import recipe_schema, recipe_text, shipped_recipes

    if schema:
        print(recipe_schema(), end="")
    elif name is not None:
        print(recipe_text(name), end="")
    else:
        descriptions = shipped_recipes()
        width = max(len(recipe) for recipe in descriptions)
        print("\n".join(f"{recipe:{width}}  {text}" for recipe, text in descriptions.items()))
