"""Reading small files out of a zip archive from an untrusted source, without unpacking it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from beamforge.errors import InputError
from beamforge.io.guard import damage_named, readable_size

_LARGEST_ARCHIVE = 64 * 2**20
_LARGEST_ENTRY = 16 * 2**20
_LARGEST_TOTAL = 256 * 2**20
_MOST_ENTRIES = 10_000
_ENTRY_MARK = b"PK\x01\x02"


def read_entries(path: Path, suffix: str) -> dict[str, bytes]:
    """Read all entries with a suffix into memory.

    Nothing is ever written to the disk, so names cannot lead anywhere; an archive with names that try is refused all
    the same, as it was made to do harm.

    Raises
    ------
    InputError
        If the archive is damaged, encrypted, has names that leave it, or is or unpacks to more than an archive of
        ROIs can be.
    """
    size = path.stat().st_size
    if size > _LARGEST_ARCHIVE:
        raise InputError(
            f"{path} is {readable_size(size)}, at most {readable_size(_LARGEST_ARCHIVE)} are read; split it"
        )
    data = path.read_bytes()
    # Counted before zipfile builds an object for each, as each costs far more memory than its place in the file.
    if data.count(_ENTRY_MARK) > _MOST_ENTRIES:
        raise InputError(f"{path} has more than {_MOST_ENTRIES} entries; no archive of ROIs has, it is refused")
    with damage_named(path, "a zip archive"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return _read(path, archive, suffix)
        except zipfile.BadZipFile as error:
            raise InputError(f"{path} is a damaged zip archive ({error}); copy it again") from error


def _read(path: Path, archive: zipfile.ZipFile, suffix: str) -> dict[str, bytes]:
    for entry in archive.infolist():
        _refuse_escape(path, entry.filename)
    wanted = [e for e in archive.infolist() if e.filename.lower().endswith(suffix) and not _is_side_file(e.filename)]
    found: dict[str, bytes] = {}
    total = 0
    for entry in wanted:
        if entry.flag_bits & 1:
            raise InputError(f"{path}: {entry.filename!r} is encrypted; unpack it and save it without a password")
        with archive.open(entry) as stream:
            # The declared size may be a lie, so what counts is what comes out.
            content = stream.read(_LARGEST_ENTRY + 1)
        total += len(content)
        if len(content) > _LARGEST_ENTRY or total > _LARGEST_TOTAL:
            raise InputError(f"{path}: {entry.filename!r} unpacks to more than an ROI can be; the archive is refused")
        if entry.filename in found:
            raise InputError(f"{path} holds {entry.filename!r} twice; save it again")
        found[entry.filename] = content
    return found


def _refuse_escape(path: Path, name: str) -> None:
    plain = name.replace("\\", "/")
    absolute = plain.startswith("/") or (len(plain) > 1 and plain[1] == ":")
    if absolute or ".." in PurePosixPath(plain).parts or "\x00" in name:
        raise InputError(f"{path}: the entry {name!r} points outside the archive; it is refused, get it from its maker")


def _is_side_file(name: str) -> bool:
    """Know the resource forks that macOS adds."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("._")
