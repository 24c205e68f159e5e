"""Files that are either whole or not there.

A stage that is killed, or a disk that fills up, must leave what was there before untouched: everything is written
under a temporary name beside its place, flushed to the disk, and renamed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from beamforge.errors import FullDiskError, InputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def full_disk_named(target: str | Path) -> Iterator[None]:
    """Turn the system's error about a full disk, met while writing `target`, into one that says what to do.

    Of several around each other the outermost names what was written, as inner ones know temporary names only.
    """
    try:
        yield
    except Exception as error:
        if _tells_of_full_disk(error):
            raise FullDiskError(
                f"{target}: the disk is full; free some space and run the same command again, finished parts are kept"
            ) from error
        raise


def _tells_of_full_disk(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    # safetensors raises an error of its own, with the system's number in its text only.
    number = re.search(r"\(os error (\d+)\)", str(error))
    return isinstance(error, FullDiskError) or (number is not None and int(number.group(1)) in _FULL)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The block creates a file or a folder at the temporary path. A folder replaces an older folder as a whole.

    Raises
    ------
    FullDiskError
        If the disk is full; nothing that stood at `path` is lost.
    """
    target = Path(path)
    with full_disk_named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial{target.suffix}")
    try:
        with full_disk_named(target):
            yield temporary
            if temporary.is_dir():
                for file in temporary.rglob("*"):
                    if file.is_file():
                        _flush(file)
            _flush(temporary)
            _replace(temporary, target)
            _flush(target.parent)
    finally:
        _remove(temporary)


def _replace(temporary: Path, target: Path) -> None:
    """Rename onto `target`; an old folder steps aside first, as POSIX renames only onto empty ones."""
    if not (temporary.is_dir() and target.is_dir()):
        os.replace(temporary, target)
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except OSError:
        os.rename(aside, target)
        raise
    _remove(aside)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically; NaN and infinity are refused, as JSON has neither."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON.

    Raises
    ------
    InputError
        If the file is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}), expected a JSON file") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error})") from error


def sha256(path: str | Path) -> str:
    """Hash a file, or a folder by the names and contents of its files, as hexadecimal text.

    Raises
    ------
    InputError
        If there is no such file or folder.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
