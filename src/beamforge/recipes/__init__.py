"""The recipe, the run and its stages."""

from __future__ import annotations

from beamforge.recipes.load import load_recipe, recipe_schema, recipe_text, shipped_recipes
from beamforge.recipes.repeats import RepeatedOutcome, run_repeats
from beamforge.recipes.run import run
from beamforge.recipes.schema import Outcome, RecipeBase

__all__ = [
    "Outcome",
    "RecipeBase",
    "RepeatedOutcome",
    "load_recipe",
    "recipe_schema",
    "recipe_text",
    "run",
    "run_repeats",
    "shipped_recipes",
]
