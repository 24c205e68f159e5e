"""The main job end to end, small: a phantom, two networks of a few steps, all stages and the report."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import ndimage

import beamforge
from beamforge.errors import InputError
from beamforge.files import sha256
from beamforge.io import open_labels, open_stack, save_labels, save_stack
from beamforge.learning import Segmenter, read_events
from beamforge.recipes import load_recipe, run
from beamforge.recipes.verbs import load_scenario
from beamforge.simulation.dataset import open_dataset
from beamforge.simulation.phantoms.infer import measure
from beamforge.simulation.phantoms.infer_config import InferPhantom
from beamforge.stack import is_simulated

PHANTOM = {"size": 160, "lengths": 2, "longest": 1200.0, "modes": ["H0", "DF"]}
SMALL = {
    "name": "small",
    "annotated": {"kind": "infer_phantom", "layout": "annotated", "settings": PHANTOM},
    "unseen": {"kind": "infer_phantom", "layout": "unseen", "settings": PHANTOM},
    "tile": 64,
    "generators": {
        "correlated": {
            "steps": [
                {"step": "checkerboard", "width": 16},
                {"step": "johnson_field", "fit": {"marginal": "empirical", "correlation": "both", "minimum": 20}},
            ]
        }
    },
    "network": {
        "architecture": "unet",
        "encoder": "resnet18",
        "options": {"encoder_depth": 3, "decoder_channels": [32, 16, 16]},
    },
    "training": {"epochs": 2, "steps_per_epoch": 2, "batch": 2, "keep": "last", "threads": 1},
    "evaluation": {"simulated_tiles": 3, "bootstrap": 50},
    "baselines": {"tuning_tiles": 1},
}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


@pytest.fixture(scope="module")
def finished(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "small"
    run(load_recipe(recipe), folder)
    return folder


def states(folder: Path) -> dict[str, str]:
    """The last state of each stage."""
    lines = (folder / "events.jsonl").read_text().splitlines()
    return {event["stage"]: event["state"] for event in map(json.loads, lines)}


def test_every_row_is_judged_on_both_columns(finished: Path) -> None:
    matrix = json.loads((finished / "evaluation" / "matrix.json").read_text())
    assert matrix["models"] == ["correlated", "measured", "analytic", "analytic, smoothed"]
    assert matrix["datasets"] == ["simulated", "measured"]


def test_the_analytic_classifier_is_right_about_most_of_the_unseen_phantom(finished: Path) -> None:
    scores = json.loads((finished / "evaluation" / "matrix.json").read_text())["scores"]
    assert scores["analytic"]["measured"]["pixel_accuracy"]["value"] > 0.8


def test_labels_and_quick_look_are_of_the_unseen_measurement(finished: Path) -> None:
    labels = open_labels(finished / "segmentation" / "labels.tif")
    assert labels.shape == (160, 160)
    assert labels.attrs["class_names"][0] == "open beam"
    assert labels.attrs["pixel_size"] == pytest.approx(InferPhantom(**PHANTOM).pixel_size)
    assert (finished / "segmentation" / "labels.png").is_file()


def test_the_report_is_one_file_that_asks_for_nothing(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    for section in ("Results", "The measurement", "Training", "Predictions", "Provenance"):
        assert section in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_provenance_says_that_the_measurement_is_a_phantom(finished: Path) -> None:
    assert json.loads((finished / "measurements" / "provenance.json").read_text())["simulated"] is True


def test_nothing_made_from_the_phantom_passes_for_measured(finished: Path) -> None:
    measured = json.loads((finished / "measurements" / "provenance.json").read_text())
    for row in ("correlated", "measured"):
        model = json.loads((finished / "networks" / row / "model" / "model.json").read_text())["provenance"]
        assert model["simulated"] is True
        assert model["measurement"] == measured
    assert is_simulated(open_stack(finished / "measurements" / "unseen" / "stack.zarr"))
    labels = open_labels(finished / "segmentation" / "labels.tif").attrs["provenance"]
    assert labels["simulated"] is True
    assert list(labels["inputs"].values()) == [sha256(finished / "networks" / "correlated" / "model")]


def test_tiles_that_trainings_are_watched_with_do_not_judge(finished: Path) -> None:
    judges, watches = (open_dataset(finished / "simulated" / name) for name in ("samples.zarr", "validation.zarr"))
    seen = {judges[i].image.tobytes() for i in range(len(judges))}
    assert not seen & {watches[i].image.tobytes() for i in range(len(watches))}
    event = read_events(finished / "networks" / "correlated" / "events.jsonl")[-1]
    network = Segmenter.load(finished / "networks" / "correlated" / "model")
    tiles = (watches[i] for i in range(len(watches)))
    confusion = sum(
        confusion_of(s.labels, network.log_probabilities(s.image[None])[0].argmax(0), len(network.classes))
        for s in tiles
    )
    assert event["validation"]["simulated"]["miou"] == pytest.approx(with_predicted(confusion), abs=1e-6)


def confusion_of(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    return np.histogram2d(truth.ravel(), found.ravel(), bins=classes, range=[(-0.5, classes - 0.5)] * 2)[0]


def with_predicted(confusion: np.ndarray) -> float:
    """Mean IoU over the classes labelled or predicted anywhere."""
    both, either = np.diag(confusion), confusion.sum(0) + confusion.sum(1)
    return float((both[either > 0] / (either - both)[either > 0]).mean())


def test_a_report_written_again_still_says_how_long_the_stages_took(finished: Path) -> None:
    first = (finished / "report.html").read_text()
    beamforge.report(finished)
    again = (finished / "report.html").read_text()
    for stage in ("measurements", "generators/correlated", "networks/measured", "segmentation"):
        assert stage in first
        assert stage in again


def test_a_file_of_first_weights_that_changed_is_trained_from_anew(recipe: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"one")
    network = load_recipe(recipe, [f"network.weights={weights}"]).network
    before = network.what_decides()
    weights.write_bytes(b"two")
    assert network.what_decides() != before
    weights.unlink()
    with pytest.raises(InputError, match="no such file of weights"):
        network.what_decides()


def test_a_second_run_does_nothing_and_another_setting_only_what_rests_on_it(recipe: Path, finished: Path) -> None:
    weights = (finished / "networks" / "correlated" / "model" / "model.safetensors").read_bytes()
    run(load_recipe(recipe), finished)
    assert set(states(finished).values()) == {"skipped"}
    run(load_recipe(recipe, ["evaluation.bootstrap=60"]), finished)
    changed = {stage for stage, state in states(finished).items() if state != "skipped"}
    assert changed == {"evaluation"}
    assert (finished / "networks" / "correlated" / "model" / "model.safetensors").read_bytes() == weights


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(recipe: Path, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "beamforge", "run", str(recipe), "-o", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(Path(beamforge.__file__).parents[1])}
    for seconds in (8, 14, 20):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    weights = "networks/correlated/model/model.safetensors"
    assert (folder / weights).read_bytes() == (finished / weights).read_bytes()


def test_a_single_measurement_is_split_and_the_parts_do_not_touch(recipe: Path, tmp_path: Path) -> None:
    stack, labels = measure(InferPhantom(**PHANTOM), np.random.default_rng(3))
    save_stack(tmp_path / "stack.zarr", stack)
    save_labels(tmp_path / "labels.tif", labels)
    from beamforge.recipes.job import Job
    from beamforge.recipes.stages import Run

    values = {key: value for key, value in SMALL.items() if key != "unseen"}
    values |= {"annotated": {"kind": "files", "stack": "stack.zarr", "labels": "labels.tif"}, "holdout": {"block": 24}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(values))
    job = Job(load_recipe(tmp_path / "own.yaml"), Run(tmp_path / "run"))
    job.measure()
    learn, judge = job.labels("annotated").values, job.labels("unseen").values
    assert not ((learn != 255) & (judge != 255)).any()
    assert ((learn != 255) | (judge != 255)).sum() <= (labels.values != 255).sum()
    assert set(np.unique(learn)) == set(np.unique(judge))
    distance = ndimage.distance_transform_cdt(judge == 255, metric="chessboard")
    assert distance[learn != 255].min() > job.recipe.holdout.guard > 0
    inputs = json.loads((tmp_path / "run" / "measurements" / "provenance.json").read_text())["inputs"]
    assert {Path(path).name for path in inputs} == {"stack.zarr", "labels.tif"}


def test_a_scenario_comes_from_a_recipe_a_folder_or_a_model(recipe: Path, finished: Path, tmp_path: Path) -> None:
    from_recipe = load_scenario(recipe, run_folder=finished)
    from_folder = load_scenario(finished / "generators" / "correlated" / "scenario")
    assert from_recipe(1, 2).image.tobytes() == from_folder(1, 2).image.tobytes()
    from_recipe.steps[1].model.save(tmp_path / "model.json")
    sample = load_scenario(tmp_path / "model.json", tile=48)(0, 0)
    assert sample.image.shape == (4, 48, 48)


def test_the_files_of_a_run_serve_the_other_verbs(finished: Path, tmp_path: Path) -> None:
    measurement = finished / "measurements" / "unseen"
    model = finished / "networks" / "correlated" / "model"
    scores = beamforge.evaluate(model, measurement / "stack.zarr", measurement / "labels.tif", tile=64)
    matrix = json.loads((finished / "evaluation" / "matrix.json").read_text())
    assert scores.dice.value == pytest.approx(matrix["scores"]["correlated"]["measured"]["dice"]["value"])
    stored = beamforge.evaluate(model, finished / "simulated" / "samples.zarr")
    assert stored.dice.value == pytest.approx(matrix["scores"]["correlated"]["simulated"]["dice"]["value"])
    found = beamforge.segment(model, measurement / "stack.zarr", tmp_path / "labels.tif")
    assert sum(found.counts.values()) == 160 * 160
    fitted = beamforge.fit(
        measurement / "stack.zarr", measurement / "labels.tif", tmp_path / "model.json", correlation="channels"
    )
    assert len(fitted.classes) == 12
    assert beamforge.validate(tmp_path / "model.json").ks.max() < 0.1


def test_a_measured_stack_without_labels_cannot_be_judged(finished: Path) -> None:
    with pytest.raises(InputError, match="needs its labels"):
        beamforge.evaluate(
            finished / "networks" / "correlated" / "model", finished / "measurements" / "unseen" / "stack.zarr"
        )
