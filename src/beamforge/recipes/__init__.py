"""The recipe, the run and its stages."""

from __future__ import annotations

from beamforge.recipes.load import load_recipe, recipe_schema, recipe_text, shipped_recipes
from beamforge.recipes.run import run
from beamforge.recipes.schema import Outcome, RecipeBase

__all__ = ["Outcome", "RecipeBase", "load_recipe", "recipe_schema", "recipe_text", "run", "shipped_recipes"]
