"""The table of the main job, as a terminal of 80 characters shows it."""

import io
from pathlib import Path

import numpy as np
from rich.console import Console

from beamforge.evaluation.matrix import matrix_of_counts
from beamforge.recipes import load_recipe
from beamforge.recipes.kinds.measurement import MeasurementRecipe
from beamforge.recipes.result import RunResult

MODELS = ("correlated", "i.i.d. Johnson", "measured", "analytic, smoothed")
COUNTS = np.array([[[8, 2], [2, 8]], [[9, 1], [1, 9]]])


def lines(*changes: str) -> list[str]:
    recipe = load_recipe("infer-demo", changes)
    assert isinstance(recipe, MeasurementRecipe)
    counts = {dataset: dict.fromkeys(MODELS, COUNTS) for dataset in ("simulated", "measured")}
    matrix = matrix_of_counts(counts, dict.fromkeys(MODELS, ("water", "air")))
    page = io.StringIO()
    Console(file=page, width=80).print(RunResult(matrix=matrix, recipe=recipe, report=Path("report.html")).table())
    return page.getvalue().splitlines()


def test_names_and_figures_are_whole_and_the_paper_stands_beside_its_pair() -> None:
    shown = lines()
    assert max(map(len, shown)) <= 80
    assert not any("…" in line for line in shown)
    assert all(any(name in line for line in shown) for name in MODELS)
    # Each class: 17 of 20 right, Dice 0.85, IoU 17/23; over tiles the mean of 8/12 and 9/11.
    row = next(number for number, line in enumerate(shown) if "i.i.d. Johnson" in line)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown[row : row + 2]]
    assert cells[0] == ["i.i.d. Johnson", "simulated", "0.850", "0.739", "0.742", "1.000 / 0.999"]
    assert cells[1] == ["", "measured", "0.850", "0.739", "0.742", "0.857 / 0.781"]


def test_without_published_figures_there_is_no_column_for_them() -> None:
    assert not any("paper" in line or "tile IoU" in line for line in lines("references=[]"))
