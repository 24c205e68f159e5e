"""A recipe that needs no data: scenario, networks, classical methods, a user's own image, the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml

from beamforge.errors import InputError
from beamforge.evaluation import Estimate
from beamforge.io import open_labels
from beamforge.learning import Segmenter
from beamforge.recipes import load_recipe, run
from beamforge.recipes.simulations.measured import window_of_interest
from beamforge.recipes.simulations.outcome import SimulationOutcome
from beamforge.recipes.verbs import load_scenario
from beamforge.recipes.verbs import report as rewrite_report
from beamforge.simulation.scenarios.spots import spot_scenario

SMALL: dict[str, Any] = {
    "kind": "simulation",
    "name": "small",
    "generator": {
        "classes": ["clean", "spot"],
        "channels": [{"mode": "local contrast"}],
        "steps": [
            {"step": "blank", "tile": 48},
            {"step": "radiograph"},
            {"step": "marked_spots", "seconds": [20, 40]},
            {"step": "local_contrast"},
        ],
    },
    "samples": {"training": 8, "validation": 4, "test": 4},
    "network": {"architecture": "residual", "options": {"width": 4, "blocks": 1}},
    "training": {"epochs": 1, "steps_per_epoch": 2, "batch": 2, "keep": "last", "threads": 1},
    "rows": {"network": {}, "focal": {"training": {"loss": "focal"}}},
    "baselines": {"thresholds": {"method": "contrast"}, "forest": {"method": "pixels", "sigmas": [1.0]}},
    "tasks": {"spots": {}},
    "prepare": [{"step": "local_contrast"}],
    "bootstrap": 50,
}


def saved(folder: Path, **changes: Any) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationOutcome]:
    """A run with an annotated frame and one without labels; the frame is a simulated one before its contrast."""
    folder = tmp_path_factory.mktemp("simulation")
    scenario = spot_scenario(96)
    raw = scenario.model_copy(update={"steps": scenario.steps[:-2]})(3, 0)
    tifffile.imwrite(folder / "frame.tif", raw.image[0])
    tifffile.imwrite(folder / "marks.tif", raw.labels)
    recipe = load_recipe(
        saved(folder, images=["frame.tif"], annotated={"stack": "frame.tif", "labels": "marks.tif"}),
    )
    outcome = run(recipe, folder / "run")
    assert isinstance(outcome, SimulationOutcome)
    return folder / "run", outcome


def test_every_row_is_judged_on_simulated_and_measured_images(finished: tuple[Path, SimulationOutcome]) -> None:
    scores = finished[1].scores()
    assert list(scores) == ["network", "focal", "thresholds", "forest"]
    for row in scores.values():
        assert {"Dice on simulated", "mean IoU on measured", "F1 on measured"} <= set(row)


def test_the_measured_frame_is_prepared_as_the_samples_are(finished: tuple[Path, SimulationOutcome]) -> None:
    # Thresholds on contrast find the spots of a frame only if the frame was turned into contrast.
    score = finished[1].tasks["measured"]["thresholds"]["F1"]
    assert isinstance(score, Estimate)
    assert score.value > 0.7


def test_measured_images_are_segmented(finished: tuple[Path, SimulationOutcome]) -> None:
    places = {name: path for name, path in finished[1].files.items() if name.startswith("labels")}
    assert set(places) == {"labels of the annotated measurement", "labels of frame.tif"}
    for path in places.values():
        assert open_labels(path).shape == (96, 96)


def test_a_row_differs_from_the_others_in_what_it_names(finished: tuple[Path, SimulationOutcome]) -> None:
    folder = finished[0]
    stages = {row: json.loads((folder / "networks" / row / "stage.json").read_text()) for row in ("network", "focal")}
    assert stages["network"]["settings"]["training"]["loss"] == "cross_entropy_dice"
    changed = stages["network"]["settings"]["training"] | {"loss": "focal"}
    assert stages["focal"]["settings"]["training"] == changed
    assert Segmenter.load(finished[1].files["model"]).classes.names == ("clean", "spot")


def test_the_report_can_be_written_again(finished: tuple[Path, SimulationOutcome]) -> None:
    page = finished[1].report.read_text()
    for section in ("Results", "What was simulated", "Predictions", "Training", "Provenance"):
        assert section in page
    assert 'src="http' not in page
    finished[1].report.unlink()
    assert rewrite_report(finished[0]).read_text().count("<svg") == page.count("<svg")


def test_nothing_is_done_twice(finished: tuple[Path, SimulationOutcome]) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished[0].rglob("stage.json")}
    run(load_recipe(finished[0].parent / "small.yaml"), finished[0])
    assert {path: path.stat().st_mtime_ns for path in finished[0].rglob("stage.json")} == before


def test_simulating_takes_the_recipe_s_scenario(tmp_path: Path) -> None:
    scenario = load_scenario(saved(tmp_path), run_folder=tmp_path / "run")
    assert [step.step_name for step in scenario.steps] == ["blank", "radiograph", "marked_spots", "local_contrast"]


def test_a_row_of_another_architecture_takes_none_of_the_options(tmp_path: Path) -> None:
    recipe = load_recipe(saved(tmp_path, rows={"gated": {"network": {"architecture": "attention_unet"}}}))
    assert recipe.network_of("gated").options == {}


def test_a_stack_without_labels_is_an_image_to_segment(tmp_path: Path) -> None:
    recipe = load_recipe(saved(tmp_path), ["annotated.stack=frame.tif"])
    assert recipe.annotated is None
    assert recipe.images == ("frame.tif",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shown_channel": 1}, "shown_channel is 1, the generator has 1 channels"),
        ({"baselines": {"network": {"method": "contrast"}}}, "both named 'network'"),
        ({"rows": {"a": {"training": {"loss": "focol"}}}}, "did you mean 'focal'"),
        ({"baselines": {"a": {"method": "ridge", "of": "spot"}}}, "did you mean 'ridges'"),
        ({"baselines": {"a": {"high": 3}}}, "baselines.a names no method"),
        ({"tasks": {"spot": {}}}, "did you mean 'spots'"),
        ({"tasks": {"spots": {"off": "spot"}}}, "off"),
    ],
)
def test_wrong_settings_are_named_before_anything_runs(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe(saved(tmp_path, **changes))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"step": "blank", "files": {"image": "a.tif"}}, "made from no files"),
        ({"step": "detector", "files": {"open_beam": "a.tif"}}, "did you mean 'open_beams'"),
        ({"step": "detector", "files": {"darks": ["a.tif"], "seconds": [1.0]}}, "needs open_beams"),
    ],
)
def test_steps_from_files_name_what_is_wrong(tmp_path: Path, step: dict, message: str) -> None:
    recipe = load_recipe(saved(tmp_path, generator={**SMALL["generator"], "steps": [step]}))
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 8), np.float32))
    with pytest.raises(InputError, match=message):
        run(recipe, tmp_path / "run")


def test_an_image_of_other_channels_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "two.tif", np.ones((2, 64, 64), np.float32))
    with pytest.raises(InputError, match=r"two.tif has 2 channels, the scenario makes 1 \(local contrast\)"):
        run(load_recipe(saved(tmp_path, images=["two.tif"])), tmp_path / "run")


def test_the_part_shown_holds_most_of_what_is_not_background() -> None:
    labels = np.zeros((100, 80), np.uint8)
    labels[70:90, 50:60] = 1
    labels[0:9] = 255
    rows, columns = window_of_interest(labels, labels.shape, 30)
    assert (labels[rows, columns] == 1).sum() == 200
    assert (rows.stop - rows.start, columns.stop - columns.start) == (30, 30)
