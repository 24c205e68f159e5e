"""Files are whole or not there, whatever happens while they are written."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beamforge import files
from beamforge.errors import BeamforgeError, InputError
from beamforge.files import atomic_path, full_disk_named, read_json, sha256, write_json, write_text


def test_text_and_json_come_back(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "note.txt", "10 µm\n")
    assert (tmp_path / "deep" / "note.txt").read_text(encoding="utf-8") == "10 µm\n"
    write_json(tmp_path / "a.json", {"µ": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"µ": [1, 2.5, None]}


@settings(max_examples=30)  # each flushes to the disk
@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_json_survives(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_hold_leaves_the_old_file(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "a.json", "old")
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "a.json", {"value": value})
    assert read_json(tmp_path / "a.json") == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_missing_and_broken_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: no such file"):
        read_json(tmp_path / "a.json")
    for content in (b'{"a": ', b"\xff\xfe"):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.json is not JSON"):
            read_json(tmp_path / "a.json")


def test_a_failing_block_leaves_file_and_folder_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part").write_text("old")

    def fail(target: Path, *, folder: bool) -> None:
        with atomic_path(target) as temporary:
            if folder:
                temporary.mkdir()
                (temporary / "part").write_text("new")
            else:
                temporary.write_text("new")
            raise KeyboardInterrupt

    for name, folder in (("file", False), ("folder", True), ("other", True)):
        with pytest.raises(KeyboardInterrupt):
            fail(tmp_path / name, folder=folder)
    assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "folder" / "part").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for part in ("first", "second"):
        with atomic_path(tmp_path / "folder") as temporary:
            temporary.mkdir()
            (temporary / part).write_text(part)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part").write_text("old")
    rename = os.rename

    def second_rename_fails(source: Path, target: Path) -> None:
        if ".partial" in str(source):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        rename(source, target)

    def replace() -> None:
        with atomic_path(tmp_path / "folder") as temporary:
            temporary.mkdir()

    monkeypatch.setattr(files.os, "rename", second_rename_fails)
    with pytest.raises(PermissionError):
        replace()
    assert (tmp_path / "folder" / "part").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


FULL = """
import resource, signal, sys
from beamforge.errors import BeamforgeError
from beamforge.files import write_text

# A limit on the size of files stops a write in the middle, as a full disk does.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_text(sys.argv[1], "new" * 100_000)
except BeamforgeError as error:
    print(error)
"""


def test_a_full_disk_in_the_middle_of_a_file_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "result.txt").write_text("old")
    command = [sys.executable, "-c", FULL, str(tmp_path / "result.txt")]
    message = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "result.txt: the disk is full; free some space" in message
    assert (tmp_path / "result.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_at_the_flush_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "result.txt").write_text("old")

    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(BeamforgeError, match=r"result\.txt: the disk is full"):
        write_text(tmp_path / "result.txt", "new")
    assert (tmp_path / "result.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]


def test_a_full_disk_that_safetensors_meets_in_a_folder_is_named_by_the_folder(tmp_path: Path) -> None:
    code = """
import numpy as np
from safetensors.numpy import save_file
from beamforge.files import atomic_path
""" + FULL.replace(
        'write_text(sys.argv[1], "new" * 100_000)',
        """with atomic_path(sys.argv[1]) as folder:
        folder.mkdir()
        with atomic_path(folder / "weights") as temporary:
            save_file({"weights": np.zeros(100_000)}, temporary)""",
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model")]
    message = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert message.startswith(f"{tmp_path / 'model'}: the disk is full; free some space")
    assert not list(tmp_path.iterdir())


def test_other_troubles_are_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), full_disk_named(tmp_path):
        raise PermissionError(errno.EACCES, "no")


KILLED = """
import itertools, sys
from beamforge.files import atomic_path

print("ready", flush=True)
for number in itertools.count(1):
    with atomic_path(sys.argv[1] + "/file") as temporary:
        temporary.write_text(f"{number}\\n" * 20_000)
    with atomic_path(sys.argv[1] + "/folder") as temporary:
        temporary.mkdir()
        for part in range(3):
            (temporary / str(part)).write_text(f"{number}\\n" * 5000)
"""


def test_a_kill_at_any_moment_leaves_whole_files(tmp_path: Path) -> None:
    for delay in (0.003, 0.02, 0.05, 0.11):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (tmp_path / "file").exists():
            lines = (tmp_path / "file").read_text().split()
            assert len(lines) == 20_000
            assert len(set(lines)) == 1
        # Between the two renames of a folder only its old contents stand aside; never is half a folder at its place.
        if (tmp_path / "folder").exists():
            parts = [path.read_text().split() for path in (tmp_path / "folder").iterdir()]
            assert len(parts) == 3
            assert len({line for lines in parts for line in lines}) == 1
            assert all(len(lines) == 5000 for lines in parts)


def test_hashes_depend_on_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "sub" / "one").write_text("1")
    first = sha256(tmp_path / "a")
    assert sha256(tmp_path / "a" / "sub" / "one") == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    (tmp_path / "a" / "sub" / "one").rename(tmp_path / "a" / "sub" / "two")
    second = sha256(tmp_path / "a")
    (tmp_path / "a" / "sub" / "two").write_text("2")
    assert len({first, second, sha256(tmp_path / "a")}) == 3
