"""Data sets on disk: what is read is what was simulated, whatever interrupted the writing."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr
from numpy.random import Generator

from beamforge.errors import BeamforgeError, InputError
from beamforge.simulation import Parameters, Sample, Scenario, Step
from beamforge.simulation import dataset as module
from beamforge.simulation.dataset import open_dataset, write_dataset
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import Channel, Classes
from contracts.steps_for_tests import Deadly, LabelNoise


class Odd(Step, name="odd_of_the_dataset_tests"):
    """Breaks the sample of one seed and index in a chosen way."""

    how: str

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        if self.how == "shape" and sample.labels[0, 0] == 0:
            return sample.replace(image=sample.image[:, 1:], labels=sample.labels[1:])
        if self.how == "class":
            return sample.replace(labels=sample.labels + np.uint8(7))
        if self.how == "channel":
            return sample.replace(image=sample.image[:1])
        return sample


def scenario(seconds: float = 0.0, name: str = "speckles", *more: Step) -> Scenario:
    return Scenario(
        name=name,
        steps=(Checkerboard(classes=3, tile=24), LabelNoise(seconds=seconds), *more),
        classes=Classes(names=("water", "quartz", "air")),
        channels=(Channel(mode="H0", autocorrelation_length=120.0), Channel(mode="DF")),
        pixel_size=48.0,
    )


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all files that hold samples or what was drawn for them."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "zarr.json"]
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_reads_what_was_simulated(tmp_path: Path) -> None:
    write_dataset(scenario(), tmp_path / "data.zarr", 4, seed=11)
    stored = open_dataset(tmp_path / "data.zarr")
    assert len(stored) == 4
    assert stored.scenario == scenario()
    assert stored.classes.names == ("water", "quartz", "air")
    assert stored.channels == scenario().channels
    for index, sample in enumerate(stored):
        expected = scenario()(11, index)
        np.testing.assert_array_equal(sample.image, expected.image)
        np.testing.assert_array_equal(sample.labels, expected.labels)
        means = sample.parameters["draws"]["label_noise_for_tests"].pop("means")
        np.testing.assert_array_equal(means, expected.parameters["draws"]["label_noise_for_tests"].pop("means"))
        assert sample.parameters == expected.parameters


def test_a_stored_sample_can_be_replayed(tmp_path: Path) -> None:
    stored = write_dataset(scenario(), tmp_path / "data.zarr", 2, seed=3)
    again = stored.scenario.replay(stored.parameters(1))
    np.testing.assert_array_equal(again.image, stored[1].image)
    assert "noise" in again.extras


def test_any_zarr_reader_finds_arrays_and_origin(tmp_path: Path) -> None:
    write_dataset(scenario(), tmp_path / "data.zarr", 3, seed=5)
    group = zarr.open_group(tmp_path / "data.zarr", mode="r", zarr_format=3)
    assert group["images"].shape == (3, 2, 24, 24)
    assert group["images"].chunks == (1, 2, 24, 24)
    assert group["images"].dtype == np.float32
    assert group["labels"].dtype == np.uint8
    assert group["labels"].chunks == (1, 24, 24)
    assert group.attrs["simulated"] is True
    assert group.attrs["seed"] == 5
    assert group.attrs["pixel_size"] == 48.0
    assert group.attrs["provenance"]["beamforge"]
    lines = (tmp_path / "data.zarr" / "parameters.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [0, 1, 2]


def test_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    for workers in (1, 3):
        write_dataset(scenario(), tmp_path / f"{workers}.zarr", 7, seed=2, workers=workers)
    assert contents(tmp_path / "1.zarr") == contents(tmp_path / "3.zarr")


def test_a_larger_count_adds_samples_and_keeps_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(scenario(), tmp_path / "grown.zarr", 3, seed=1)
    simulated = count_simulations(monkeypatch)
    write_dataset(scenario(), tmp_path / "grown.zarr", 5, seed=1)
    assert simulated == [3, 4]
    write_dataset(scenario(), tmp_path / "whole.zarr", 5, seed=1)
    assert contents(tmp_path / "grown.zarr") == contents(tmp_path / "whole.zarr")


def count_simulations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    simulated: list[int] = []
    store = module.store_sample

    def counted(scenario: Scenario, folder: Path, seed: int, index: int) -> str:
        simulated.append(index)
        return store(scenario, folder, seed, index)

    monkeypatch.setattr(module, "store_sample", counted)
    return simulated


def test_a_full_disk_is_named_and_keeps_finished_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = module.store_sample

    def full_after_two(scenario: Scenario, folder: Path, seed: int, index: int) -> str:
        if index == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return store(scenario, folder, seed, index)

    monkeypatch.setattr(module, "store_sample", full_after_two)
    with pytest.raises(BeamforgeError, match=r"data\.zarr: the disk is full"):
        write_dataset(scenario(), tmp_path / "data.zarr", 4, seed=1)
    monkeypatch.undo()
    with pytest.raises(InputError, match="holds 2 of 4 samples"):
        open_dataset(tmp_path / "data.zarr")
    simulated = count_simulations(monkeypatch)
    assert len(write_dataset(scenario(), tmp_path / "data.zarr", 4, seed=1)) == 4
    assert simulated == [2, 3]


HERE = Path(__file__).parent

KILLED = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1].split(":")
from test_dataset import scenario
from beamforge.simulation.dataset import write_dataset
if __name__ == "__main__":
    write_dataset(scenario(seconds=0.03), Path(sys.argv[2]), 30, seed=9, workers=int(sys.argv[3]), progress=False)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    folder, log = tmp_path / "data.zarr", tmp_path / "data.zarr" / "parameters.jsonl"
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), f"{HERE}:{HERE.parent}", str(folder), str(workers)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_bytes().count(b"\n") > 3):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {json.loads(line)["index"] for line in log.read_bytes().splitlines(keepends=True) if b"\n" in line}
    assert 3 < len(finished) < 30
    times = {index: (folder / f"images/c/{index}/0/0/0").stat().st_mtime_ns for index in finished}
    simulated = count_simulations(monkeypatch)
    write_dataset(scenario(), tmp_path / "fresh.zarr", 30, seed=9)
    simulated.clear()
    write_dataset(scenario(seconds=0.03), folder, 30, seed=9)
    assert set(simulated) == set(range(30)) - finished
    assert times == {index: (folder / f"images/c/{index}/0/0/0").stat().st_mtime_ns for index in finished}
    differing = {k for k, v in contents(folder).items() if contents(tmp_path / "fresh.zarr").get(k) != v}
    assert differing == {"scenario/config.json"}


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    mine = scenario(0, "deadly", Deadly(once=str(tmp_path / "died")))
    stored = write_dataset(mine, tmp_path / "data.zarr", 6, seed=1, workers=2)
    assert (tmp_path / "died").exists()
    for index, sample in enumerate(stored):
        np.testing.assert_array_equal(sample.image, scenario()(1, index).image)


@pytest.mark.slow
def test_workers_that_die_again_and_again_are_named(tmp_path: Path) -> None:
    with pytest.raises(BeamforgeError, match=r"worker processes died again and again .* use fewer workers"):
        write_dataset(scenario(0, "deadly", Deadly()), tmp_path / "data.zarr", 2, seed=1, workers=2)


def test_a_line_cut_short_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(scenario(), tmp_path / "data.zarr", 3, seed=1)
    before = contents(tmp_path / "data.zarr")
    log = tmp_path / "data.zarr" / "parameters.jsonl"
    log.write_bytes(log.read_bytes()[:-20])
    simulated = count_simulations(monkeypatch)
    write_dataset(scenario(), tmp_path / "data.zarr", 3, seed=1)
    assert simulated == [2]
    assert contents(tmp_path / "data.zarr") == before


def test_a_failing_creation_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="declares 2 channels but simulates images of 1"):
        write_dataset(scenario(0, "odd", Odd(how="channel")), tmp_path / "data.zarr", 4, seed=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_samples_that_do_not_fit_are_refused(tmp_path: Path, workers: int) -> None:
    with pytest.raises(InputError, match=r"sample \d+ is \(2, (23|24), 24\)"):
        write_dataset(scenario(0, "odd", Odd(how="shape")), tmp_path / "a.zarr", 20, seed=1, workers=workers)
    with pytest.raises(InputError, match=r"class number 9.*only 0\.\.2 are declared \(water, quartz, air\)"):
        write_dataset(scenario(0, "odd", Odd(how="class")), tmp_path / "b.zarr", 20, seed=1, workers=workers)


def test_other_contents_at_the_path_are_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data.zarr"
    write_dataset(scenario(), path, 3, seed=1)
    before = contents(path)
    with pytest.raises(InputError, match="holds samples of the seed 1, not of 2"):
        write_dataset(scenario(), path, 3, seed=2)
    with pytest.raises(InputError, match="scenario 'speckles' with other settings than 'speckles'"):
        write_dataset(scenario(seconds=0.001), path, 3, seed=1)
    with pytest.raises(InputError, match="begun with 3 samples, 2 are too few"):
        write_dataset(scenario(), path, 2, seed=1)
    assert contents(path) == before
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not a data set"):
        write_dataset(scenario(), tmp_path / "folder", 3, seed=1)
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(InputError, match="Zarr group but not a data set"):
        write_dataset(scenario(), tmp_path / "other.zarr", 3, seed=1)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="not a data set"):
        open_dataset(tmp_path / "file")
    with pytest.raises(InputError, match="no such data set"):
        open_dataset(tmp_path / "nowhere")


def test_missing_and_damaged_pixels_are_named(tmp_path: Path) -> None:
    stored = write_dataset(scenario(), tmp_path / "data.zarr", 3, seed=1)
    chunk = tmp_path / "data.zarr" / "images" / "c" / "1" / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    with pytest.raises(InputError, match="sample 1 is damaged"):
        stored.pixels(1)
    chunk.unlink()
    with pytest.raises(InputError, match="pixels of sample 1 are missing"):
        stored[1]
    with pytest.raises(IndexError, match="sample 3 of 3"):
        stored[3]
    np.testing.assert_array_equal(stored[-1].image, stored[2].image)


def test_nonsense_is_refused(tmp_path: Path) -> None:
    for values in ({"count": 0}, {"seed": -1}, {"workers": 0}):
        with pytest.raises(InputError, match="expected at least 1, 0 and 1"):
            write_dataset(scenario(), tmp_path / "data.zarr", **{"count": 1, "seed": 1, **values})
