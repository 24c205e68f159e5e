"""Adaptive recipes end to end, small: three networks of a few steps, all stages, the report, and repeats."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import beamforge
from beamforge.errors import InputError
from beamforge.evaluation import count_confusions
from beamforge.evaluation.hardness import Hardness
from beamforge.evaluation.overlap import mean_iou
from beamforge.files import read_json
from beamforge.learning import Segmenter
from beamforge.learning.data import StoredDataset
from beamforge.recipes import load_recipe, run, run_repeats
from beamforge.recipes.verbs import load_scenario, report

SMALL = {
    "kind": "adaptive",
    "name": "small",
    "generator": {
        "classes": ["grain", "boundary"],
        "channels": [{"mode": "grey level"}],
        "steps": [
            {"step": "voronoi_grains", "tile": 32, "diameter": [10, 20], "thickness": 3},
            {"step": "grain_greylevels", "noise": [1, 60]},
        ],
    },
    "samples": {"training": 8, "test": 10},
    "network": {"architecture": "attention_unet", "options": {"width": 4, "depth": 2}},
    "training": {"epochs": 1, "steps_per_epoch": 15, "batch": 4, "keep": "last", "threads": 1},
    "fine_tuning": {"epochs": 1, "steps_per_epoch": 4, "batch": 4, "keep": "last", "threads": 1},
    "sampling": {"scored": 40, "worst": 0.1, "variations": 2},
    "tail": 0.2,
    "published": [{"row": "adaptive", "figures": {"mean IoU": 0.778}, "source": "A paper"}],
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


@pytest.fixture(scope="module")
def folder(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repeats")
    run_repeats(load_recipe(recipe), folder, 2)
    return folder


def test_scores_are_those_of_the_networks_on_the_test_samples(folder: Path) -> None:
    one = folder / "repeat-01"
    scores = read_json(one / "evaluation" / "scores.json")
    assert list(scores) == ["start", "random", "adaptive"]
    test = StoredDataset(one / "samples" / "test" / "samples.zarr")
    networks = {row: Segmenter.load(one / "networks" / row / "model") for row in scores}
    counts = count_confusions(networks, test)
    hard = np.argsort(mean_iou(counts["start"]), kind="stable")[:2]
    for row, found in scores.items():
        total = counts[row].sum(0)
        assert found["mean IoU"] == pytest.approx(float(mean_iou(total)), rel=1e-12)
        assert found["pixel error"] == pytest.approx(1 - np.trace(total) / total.sum(), rel=1e-12)
        expected = float(mean_iou(counts[row][hard].sum(0)))
        assert found["mean IoU of the hard"] == pytest.approx(expected, rel=1e-12)
        images = np.stack([test.arrays(number)[0] for number in range(len(test))])
        truth = np.stack([test.arrays(number)[1] for number in range(len(test))]).astype(int)
        own = np.take_along_axis(networks[row].log_probabilities(images), truth[:, None], axis=1)
        assert found["log-likelihood"] == pytest.approx(own.mean(), rel=1e-5)


def test_repeats_pair_the_rivals(folder: Path) -> None:
    studies = read_json(folder / "repeats.json")["studies"]
    figures = ["mean IoU", "pixel error", "mean IoU of the hard", "log-likelihood"]
    assert [study["figure"] for study in studies] == figures
    for number in range(2):
        scores = read_json(folder / f"repeat-0{number}" / "evaluation" / "scores.json")
        assert studies[0]["rows"]["adaptive"][number] == scores["adaptive"]["mean IoU"]
    assert "random − adaptive" in (folder / "report.html").read_text()


def test_report_tells_what_is_hard_and_what_was_chosen(folder: Path) -> None:
    page = (folder / "repeat-00" / "report.html").read_text()
    for part in ("What is hard", "What was chosen", "A paper", "grain_greylevels.noise"):
        assert part in page
    found = Hardness.model_validate(read_json(folder / "repeat-00" / "hardness" / "hardness.json"))
    assert found.samples == 40
    assert report(folder / "repeat-00").read_text().count("<svg") == page.count("<svg")


def test_finished_stages_are_skipped(recipe: Path, folder: Path) -> None:
    before = (folder / "repeat-00" / "networks" / "adaptive" / "model" / "model.safetensors").stat().st_mtime_ns
    outcome = run(load_recipe(recipe).with_seed(0), folder / "repeat-00")
    after = outcome.files["model"] / "model.safetensors"
    assert after.stat().st_mtime_ns == before
    assert outcome.table().row_count == 4


def test_the_command_line_repeats_too(recipe: Path, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "beamforge", "run", recipe, "-o", folder, "--repeats", "2"]
    environment = os.environ | {"PYTHONPATH": str(Path(beamforge.__file__).parents[1]), "COLUMNS": "120"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 repeats" in done.stdout
    assert "networks/adaptive: started" not in done.stderr


def test_its_scenario_simulates(recipe: Path) -> None:
    assert load_scenario(str(recipe))(0, 0).image.shape == (1, 32, 32)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampling.scored=20", "at least 40"),
        ("fine_tuning.keep=best", "no validation data"),
        ("sampling.score=mean_io", "did you mean 'mean_iou'"),
        ("shown_channel=1", "1 channels"),
        ("sampling.worst=0", "greater than 0"),
        ("sampling.rouds=2", "did you mean 'rounds'"),
    ],
)
def test_unfit_settings_are_refused(recipe: Path, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe(recipe, [override])
