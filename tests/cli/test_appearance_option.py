"""``--appearance-from`` as a user meets it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.random import default_rng
from PIL import Image
from scipy.ndimage import gaussian_filter

import beamforge
from beamforge.simulation.dataset import open_dataset

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(beamforge.__file__).parents[1]), "COLUMNS": "120", "NO_COLOR": "1"}


def cli(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "beamforge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd, check=False)


def test_simulated_samples_take_the_look_of_a_folder_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    rng = default_rng(1)
    red = np.zeros((72, 72, 3))
    red[..., 0] = 200 + 300 * gaussian_filter(rng.standard_normal((72, 72)), 6) + rng.normal(0, 3, (72, 72))
    Image.fromarray(np.clip(red, 0, 255).astype(np.uint8)).save(tmp_path / "mine" / "red.png")
    options = ("--set", "tile=64", "--set", "generators.grains.steps.2.strength=0", "-n", "2", "-o", "data.zarr")
    done = cli("simulate", "grains", "--appearance-from", "mine", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    image = open_dataset(tmp_path / "data.zarr")[0].image
    assert image.shape == (3, 64, 64)
    means = image.mean(axis=(1, 2))
    assert means[0] > 4 * max(means[1:].max(), 1.0)


def test_a_folder_without_pictures_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = cli("run", "grains", "--appearance-from", "empty", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "empty" in lines[0]


def test_recipes_that_learn_no_look_say_so(tmp_path: Path) -> None:
    done = cli("run", "infer-demo", "--appearance-from", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert "appearance_from" in done.stderr
