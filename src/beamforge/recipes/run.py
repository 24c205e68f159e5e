"""Running a recipe: all stages in their order, in one folder."""

from __future__ import annotations

from pathlib import Path

import yaml

from beamforge.files import write_text
from beamforge.recipes.job import Job
from beamforge.recipes.report import write_report
from beamforge.recipes.result import RunResult
from beamforge.recipes.schema import Recipe
from beamforge.recipes.stages import Run


def run(recipe: Recipe, folder: str | Path) -> RunResult:
    """Run a recipe from measured data to the report.

    Parameters
    ----------
    recipe
        What to do; see `load_recipe`.
    folder
        Where every stage leaves its results. Finished stages whose settings and inputs are the same are skipped; a
        killed run goes on where it was.

    Returns
    -------
    The scores and where labels and report are.

    Raises
    ------
    InputError
        For settings or data that cannot be used.
    BeamforgeError
        If a stage fails; finished stages are kept.
    """
    stages = Run(folder)
    with stages.locked():
        job = Job(recipe, stages)
        write_text(stages.folder / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
        job.measure()
        for name in recipe.generators:
            job.fit(name)
            job.validate(name)
        job.simulate_test()
        job.fit_baselines()
        for row in job.rows:
            job.train(row)
        job.evaluate()
        job.segment()
        report = write_report(job)
    return RunResult(job.matrix(), recipe, job.run.folder / "segmentation" / "labels.tif", report)
