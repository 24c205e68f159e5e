"""The command line as a user meets it: real processes' exit codes, one clear line each."""

import inspect
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
import tifffile

import beamforge
from beamforge.classical.diffraction import LaplacianSpots
from beamforge.cli.clean_spots import clean_spots
from beamforge.io import save_labels, save_stack
from beamforge.segmentation.clean_spots import NetworkSpotFinder
from beamforge.stack import as_labels, as_stack

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(beamforge.__file__).parents[1]), "COLUMNS": "120", "NO_COLOR": "1"}


def beamforge_cli(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "beamforge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd, check=False)


def refused(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Run a command that must be refused and give its one line."""
    done = beamforge_cli(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stack of two channels and labels of two classes."""
    folder = tmp_path_factory.mktemp("measured")
    rng = np.random.default_rng(5)
    labels = np.zeros((80, 90), np.uint8)
    labels[:, 45:] = 1
    image = (labels + rng.normal(0, 0.2, (2, 80, 90))).astype(np.float32)
    save_stack(folder / "stack.tif", as_stack(image, [{"mode": "a"}, {"mode": "b"}]))
    save_labels(folder / "labels.tif", as_labels(labels, ["left", "right"]))
    return folder


def test_help_is_quick_to_load_and_names_every_verb() -> None:
    text = beamforge_cli("--help").stdout
    files = (Path(beamforge.__file__).parent / "cli").glob("*.py")
    verbs = [file.stem.replace("_", "-") for file in files if "\n@verb\n" in file.read_text()]
    assert {"run", "segment", "clean-spots", "compare"} <= set(verbs)
    assert [verb for verb in verbs if f" {verb} " not in text] == []
    code = "import sys, beamforge.cli.app; from beamforge import cli; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=True)


def test_recipes_are_listed_printed_and_described() -> None:
    assert "infer-demo" in beamforge_cli("recipes").stdout
    assert "kind: infer_phantom" in beamforge_cli("recipes", "infer-demo").stdout
    assert '"generators"' in beamforge_cli("recipes", "--schema").stdout


def test_from_measurement_to_samples_to_scores(measured: Path, tmp_path: Path) -> None:
    def fine(*arguments: str | Path) -> str:
        done = beamforge_cli(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "2 channel" in fine("inspect", measured / "stack.tif")
    fine("fit", measured / "stack.tif", measured / "labels.tif", "-o", tmp_path / "model.json")
    assert "W1 / sd" in fine("validate", tmp_path / "model.json", "-o", tmp_path / "differences.json")
    fine("simulate", tmp_path / "model.json", "-n", "6", "--tile", "32", "-o", tmp_path / "data.zarr")
    settings = ["training.epochs=1", "training.steps_per_epoch=2", "training.batch=2", "network.encoder=resnet18"]
    options = [part for setting in settings for part in ("--set", setting)]
    fine("train", tmp_path / "data.zarr", "-o", tmp_path / "training", *options)
    fine("evaluate", tmp_path / "training" / "model", tmp_path / "data.zarr")
    scores = fine("evaluate", tmp_path / "model.json", measured / "stack.tif", measured / "labels.tif", "--tile", "40")
    assert float(scores.split("pixel_accuracy")[1].split()[0]) > 0.99
    assert "Mpx/s" in fine("segment", tmp_path / "model.json", measured / "stack.tif", "-o", tmp_path / "found.tif")
    found = tifffile.imread(tmp_path / "found.tif")
    assert (found == tifffile.imread(measured / "labels.tif")).mean() > 0.99


def test_a_stack_is_clustered(measured: Path, tmp_path: Path) -> None:
    done = beamforge_cli("cluster", measured / "stack.tif", "-k", "2", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = tifffile.imread(tmp_path / "out" / "labels.tif")
    assert (found == tifffile.imread(measured / "labels.tif")).mean() > 0.99
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "labels.tif", "centroids.csv", "clusters.json", "clusters.png",
    }  # fmt: skip
    assert "expected a number" in refused("cluster", measured / "stack.tif", "-k", "many", "-o", tmp_path / "no")
    assert "only 7200 pixels" not in refused("cluster", measured / "stack.tif", "-k", "0", "-o", tmp_path / "no")


def test_a_pixel_classifier_is_trained_and_applied(measured: Path, tmp_path: Path) -> None:
    model, options = tmp_path / "lda.json", ("--method", "lda", "--sigmas", "1,2")
    done = beamforge_cli("classify", measured / "stack.tif", measured / "labels.tif", "-o", model, *options)
    assert done.returncode == 0, done.stderr
    scores = beamforge_cli("evaluate", model, measured / "stack.tif", measured / "labels.tif", "--tile", "40").stdout
    assert float(scores.split("pixel_accuracy")[1].split()[0]) > 0.97
    wrong = ("classify", measured / "stack.tif", measured / "labels.tif", "-o", model, "--sigmas", "1;2")
    assert "expected numbers of px" in refused(*wrong)


def test_labels_of_another_size(measured: Path, tmp_path: Path) -> None:
    save_labels(tmp_path / "small.tif", as_labels(np.zeros((80, 80), np.uint8), ["left", "right"]))
    line = refused("fit", measured / "stack.tif", tmp_path / "small.tif", "-o", tmp_path / "m.json")
    assert "80×80" in line
    assert "80×90" in line
    assert not (tmp_path / "m.json").exists()


def test_a_class_with_too_few_pixels_is_named_with_its_count(measured: Path, tmp_path: Path) -> None:
    labels = np.zeros((80, 90), np.uint8)
    labels[0, :7] = 1
    save_labels(tmp_path / "few.tif", as_labels(labels, ["plenty", "scarce"]))
    line = refused("fit", measured / "stack.tif", tmp_path / "few.tif", "-o", tmp_path / "m.json")
    assert "scarce" in line
    assert "7" in line


@pytest.mark.parametrize(
    ("values", "words"),
    [(np.ones((80, 90), np.float32), "constant"), (np.full((80, 90), np.nan, np.float32), "finite|too few|NaN")],
)
def test_channels_without_information(measured: Path, tmp_path: Path, values: np.ndarray, words: str) -> None:
    good = tifffile.imread(measured / "stack.tif")
    save_stack(tmp_path / "stack.tif", as_stack(np.stack([good[0], values]), [{"mode": "a"}, {"mode": "b"}]))
    line = refused("fit", tmp_path / "stack.tif", measured / "labels.tif", "-o", tmp_path / "m.json")
    assert any(word in line for word in words.split("|")), line
    assert "b" in line


def test_truncated_and_foreign_files(measured: Path, tmp_path: Path) -> None:
    whole = (measured / "stack.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.tif").write_text("not an image")
    (tmp_path / "empty.tif").touch()
    for name in ("cut.tif", "text.tif", "empty.tif", "gone.tif"):
        assert name in refused("inspect", tmp_path / name)


def test_a_roi_archive_that_climbs_out(measured: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rois.zip", "w") as archive:
        archive.writestr("../../evil.roi", b"Iout")
    line = refused("fit", measured / "stack.tif", tmp_path / "rois.zip", "-o", tmp_path / "m.json")
    assert "evil.roi" in line


def test_missing_files_of_a_pattern_are_listed(tmp_path: Path) -> None:
    for name in ("H0_1.tif", "H1_1.tif", "H0_2.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((8, 8), np.uint16))
    assert "H1_2.tif" in refused("inspect", str(tmp_path / "{mode}_{autocorrelation_length}.tif"))


def test_unknown_keys_and_recipes_are_answered_with_the_nearest(tmp_path: Path) -> None:
    assert "did you mean 'epochs'" in refused("run", "infer-demo", "--set", "training.epoch=2", "-o", tmp_path / "r")
    assert "did you mean 'infer-demo'" in refused("run", "infer_demo", "-o", tmp_path / "r")
    assert "did you mean 'checkerboard'" in refused(
        "run", "infer-demo", "--set", "generators.correlated.steps.0.step=checkerbord", "-o", tmp_path / "r"
    )


def test_the_wedge_without_its_data_says_where_it_looked(tmp_path: Path) -> None:
    line = refused("run", "step_wedge", "--set", f"folder={tmp_path}", "-o", tmp_path / "run")
    assert str(tmp_path / "exp20s_ob.tif") in line


def test_a_model_that_is_none(measured: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert "no model" in refused("segment", tmp_path / "x.json", measured / "stack.tif", "-o", tmp_path / "o.tif")
    (tmp_path / "folder").mkdir()
    assert "model.json" in refused("segment", tmp_path / "folder", measured / "stack.tif", "-o", tmp_path / "o.tif")


def test_settings_of_the_routine_are_not_dropped_beside_a_network(measured: Path, tmp_path: Path) -> None:
    words = refused(
        "clean-spots", measured / "stack.tif", "-o", tmp_path / "s.tif", "--model", tmp_path, "--sigma", "2"
    )
    assert "a model and settings of the routine are both given" in words
    assert not (tmp_path / "s.tif").exists()


def test_settings_of_a_network_are_not_dropped_without_one(measured: Path, tmp_path: Path) -> None:
    words = refused("clean-spots", measured / "stack.tif", "-o", tmp_path / "s.tif", "--probability", "0.9")
    assert "no model is given that probability could set" in words


def test_defaults_of_cleaning_spots_are_told_as_they_are() -> None:
    options = get_type_hints(clean_spots, include_extras=True)
    told = {name: kind.__metadata__[0].show_default for name, kind in options.items() if name != "return"}
    for name, field in LaplacianSpots.model_fields.items():
        assert float(told[name]) == field.default
    network = inspect.signature(NetworkSpotFinder).parameters
    assert float(told["probability"]) == network["probability"].default
    assert told["precision"] == network["precision"].default


def test_usage_errors_end_with_2() -> None:
    assert beamforge_cli("fit").returncode == 2
    assert beamforge_cli("nonsense").returncode == 2


@pytest.mark.slow
def test_an_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "beamforge", "demo", "-o", str(tmp_path / "run")]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    time.sleep(15)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in errors
    assert "Traceback" not in errors
    assert not list((tmp_path / "run").glob(".*.partial*"))


def test_an_output_that_cannot_be_written_is_one_line(measured: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    done = beamforge_cli("fit", measured / "stack.tif", measured / "labels.tif", "-o", tmp_path / "taken")
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["failed"]


def test_a_legend_names_the_values_of_a_mask(measured: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "mask.tif", np.where(np.arange(90) < 45, 0, 255).astype(np.uint8)[None].repeat(80, 0))
    command = ("fit", measured / "stack.tif", tmp_path / "mask.tif", "-o", tmp_path / "model.json")
    assert "legend={0: 'background', 255: '…'}" in refused(*command)
    assert "expected values and names" in refused(*command, "--legend", "0=left")
    done = beamforge_cli(*command, "--legend", "{0: left, 255: right}")
    assert "left, right in 2 channel(s)" in done.stdout, done.stderr
