import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from numpy.random import default_rng
from rich.console import Console
from rich.table import Table

from beamforge.errors import InputError
from beamforge.evaluation import Repeats
from beamforge.files import read_json, write_json, write_text
from beamforge.learning import TrainingConfig
from beamforge.recipes import Outcome, RecipeBase, load_recipe, run_repeats
from beamforge.recipes.stages import Run


@dataclass(frozen=True, kw_only=True)
class Throws(Outcome):
    found: dict[str, dict[str, float]]

    def table(self) -> Table:
        return Table()

    def scores(self) -> dict[str, dict[str, float]]:
        return self.found

    def trials(self) -> dict[str, int]:
        return {"error": 40}


class Dice(RecipeBase):
    """Throws two dice whose luck is that of the seed."""

    training: TrainingConfig = TrainingConfig(seed=99)
    bias: float = 0.1

    def run(self, stages: Run) -> Throws:
        def make(folder: Path, _: Path) -> None:
            luck = default_rng(self.training.seed).uniform(0.2, 0.4)
            found = {"fair": {"error": luck, "points": 7.0}, "loaded": {"error": luck + self.bias, "points": 9.0}}
            write_json(folder / "found.json", found)

        folder = stages.stage("throw", {"seed": self.seed, "bias": self.bias}, [], make)
        return Throws(report=self.write_report(stages), found=read_json(folder / "found.json"))

    def write_report(self, stages: Run) -> Path:
        write_text(stages.folder / "report.html", "thrown")
        return stages.folder / "report.html"


def luck(seed: int) -> float:
    return default_rng(seed).uniform(0.2, 0.4)


def test_the_number_of_the_run_is_its_seed(tmp_path) -> None:
    outcome = run_repeats(Dice(name="dice", seed=5), tmp_path, 4)
    error, points = outcome.studies
    assert error.seeds == (0, 1, 2, 3)
    assert error.rows["fair"] == tuple(luck(seed) for seed in range(4))
    assert (error.trials, points.trials) == (40, None)
    assert outcome.scores()["loaded"]["points"] == 9.0
    assert outcome.trials() == {"error": 40}
    assert sorted(folder.name for folder in tmp_path.glob("repeat-*")) == [f"repeat-0{seed}" for seed in range(4)]
    stored = read_json(outcome.files["scores"])
    assert [Repeats.model_validate(one) for one in stored["studies"]] == list(outcome.studies)


def test_finished_runs_are_skipped_and_more_can_be_added(tmp_path) -> None:
    run_repeats(Dice(name="dice"), tmp_path, 2)
    outcome = run_repeats(Dice(name="dice"), tmp_path, 3)
    assert len(outcome.studies[0].seeds) == 3
    states = [
        [json.loads(line)["state"] for line in (tmp_path / f"repeat-{n:02d}" / "events.jsonl").read_text().splitlines()]
        for n in range(3)
    ]
    assert states == [["started", "finished", "skipped"]] * 2 + [["started", "finished"]]


def test_report_compares_and_links_the_runs(tmp_path) -> None:
    outcome = run_repeats(Dice(name="dice"), tmp_path, 3)
    page = outcome.report.read_text()
    assert "fair lies 0.1 below loaded" in page
    assert "repeat-02/report.html" in page
    assert "Agresti–Coull over 40 items" in page
    console = Console(record=True, width=160)
    console.print(outcome.table())
    text = console.export_text()
    assert "3 repeats" in text
    assert "loaded" in text


def test_a_single_repeat_has_a_table_and_a_report_too(tmp_path) -> None:
    outcome = run_repeats(Dice(name="dice"), tmp_path, 1)
    assert "does not tell" in outcome.report.read_text()
    assert outcome.table().row_count == 2


def test_a_recipe_takes_its_trainings_along() -> None:
    recipe = load_recipe("infer-demo").with_seed(7)
    assert recipe.seed == 7
    assert recipe.training.seed == 7
    assert recipe.name == "infer-demo"


def test_no_repeats_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="repeats is 0"):
        run_repeats(Dice(name="dice"), tmp_path / "run", 0)
