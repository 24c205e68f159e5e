import subprocess
import sys

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng

from beamforge.physics.detector import Detector, beam_profile
from beamforge.physics.fitted_detector import FittedDetector
from beamforge.physics.gamma_spots import GammaSpots


@pytest.fixture
def images(tmp_path):
    camera = Detector(gamma=GammaSpots(rate=0.0))
    rng = default_rng(1)
    for seconds in (5, 20):
        neutrons = (40.0 * seconds * beam_profile((120, 160))).astype(np.float32)
        tifffile.imwrite(tmp_path / f"ob{seconds}.tif", camera.expose(neutrons, seconds, rng))
    tifffile.imwrite(tmp_path / "dc.tif", camera.dark((120, 160), 5.0, rng))
    return tmp_path


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = "import beamforge.cli as c; c.main()"
    return subprocess.run([sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False)


def test_the_verb_writes_the_detector_and_its_figure(images) -> None:
    done = run(
        "fit-detector", "--open-beam", str(images / "ob5.tif"), "--open-beam", str(images / "ob20.tif"), "--dark",
        str(images / "dc.tif"), "--seconds", "5", "--seconds", "20", "--dark-seconds", "5", "-o",
        str(images / "d.json"), "--figure", str(images / "snr.png"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "DN per neutron" in done.stdout
    assert FittedDetector.load(images / "d.json").detector.offset == pytest.approx(300.0, abs=1.0)
    assert (images / "snr.png").stat().st_size > 5000


def test_swapped_files_end_with_one_clear_line(images) -> None:
    done = run(
        "fit-detector", "--open-beam", str(images / "dc.tif"), "--dark", str(images / "ob5.tif"), "--seconds", "5",
        "-o", str(images / "d.json"),
    )  # fmt: skip
    assert done.returncode == 2
    assert "swapped" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
