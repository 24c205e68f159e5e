"""Running a recipe of any kind in a folder."""

from __future__ import annotations

from pathlib import Path

import yaml

from beamforge.files import write_text
from beamforge.recipes.schema import Outcome, RecipeBase
from beamforge.recipes.stages import Run


def run(recipe: RecipeBase, folder: str | Path) -> Outcome:
    """Run a recipe from its data to the report.

    Parameters
    ----------
    recipe
        What to do; see `load_recipe`.
    folder
        Where every stage leaves its results. Finished stages whose settings and inputs are the same are skipped; a
        killed run goes on where it was.

    Returns
    -------
    The results, and where the report and the other files are.

    Raises
    ------
    InputError
        For settings or data that cannot be used.
    BeamforgeError
        If a stage fails; finished stages are kept.
    """
    stages = Run(folder)
    with stages.locked():
        write_text(stages.folder / "recipe.yaml", yaml.safe_dump(_as_run(recipe), sort_keys=False))
        return recipe.run(stages)


def _as_run(recipe: RecipeBase) -> dict[str, object]:
    """Give the settings such that they find the same data from the run's folder."""
    values = recipe.model_dump(mode="json")
    if recipe.folder is not None or recipe.home is not None:
        values["folder"] = str(recipe.places.start())
    return values
