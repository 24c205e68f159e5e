import json
import multiprocessing
from pathlib import Path

import pytest

from beamforge.errors import InputError
from beamforge.recipes.stages import Run


class Counted:
    """A stage that counts how often it is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path, scratch: Path) -> None:
        self.times += 1
        (folder / "result").write_text("done")


def test_a_finished_stage_is_skipped_and_a_changed_one_is_made_with_all_that_rests_on_it(tmp_path: Path) -> None:
    first, second, other = Counted(), Counted(), Counted()

    def go(settings: int) -> None:
        run = Run(tmp_path / "run")
        run.stage("first", {"a": settings}, [], first)
        run.stage("deep/second", {}, ["first"], second)
        run.stage("other", {}, [], other)

    go(1)
    go(1)
    assert (first.times, second.times, other.times) == (1, 1, 1)
    go(2)
    assert (first.times, second.times, other.times) == (2, 2, 1)


def test_a_stage_that_fails_leaves_nothing_and_keeps_its_scratch(tmp_path: Path) -> None:
    def fails(folder: Path, scratch: Path) -> None:
        (folder / "half").write_text("half")
        (scratch / "progress").write_text("far")
        raise RuntimeError("power cut")

    seen = []

    def goes_on(folder: Path, scratch: Path) -> None:
        seen.append((scratch / "progress").read_text())

    with pytest.raises(RuntimeError):
        Run(tmp_path).stage("train", {"x": 1}, [], fails)
    assert not (tmp_path / "train").exists()
    Run(tmp_path).stage("train", {"x": 1}, [], goes_on)
    assert seen == ["far"]
    assert not (tmp_path / ".scratch" / "train").exists()


def test_scratch_of_other_settings_is_not_used(tmp_path: Path) -> None:
    def fails(folder: Path, scratch: Path) -> None:
        (scratch / "progress").write_text("far")
        raise RuntimeError

    def looks(folder: Path, scratch: Path) -> None:
        assert not (scratch / "progress").exists()

    with pytest.raises(RuntimeError):
        Run(tmp_path).stage("train", {"x": 1}, [], fails)
    Run(tmp_path).stage("train", {"x": 2}, [], looks)


def test_the_log_tells_what_happened(tmp_path: Path) -> None:
    for _ in range(2):
        Run(tmp_path).stage("one", {}, [], Counted())
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["state"] for event in events] == ["started", "finished", "skipped"]


def _try_to_lock(folder: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with Run(folder).locked():
            answers.put("locked")
    except InputError as error:
        answers.put(str(error))


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with Run(tmp_path).locked():
        other = context.Process(target=_try_to_lock, args=(tmp_path, answers))
        other.start()
        assert "another run works in this folder" in answers.get(timeout=60)
        other.join()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(InputError, match="is a file, a run needs a folder"):
        Run(tmp_path / "run")
