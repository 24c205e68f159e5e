"""Many files that together are one stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import dask.array as da
import xarray as xr

from beamforge.errors import InputError
from beamforge.io.guard import LAZY_CAP, check_size
from beamforge.io.image import to_stack
from beamforge.io.pattern import find_files, natural_key
from beamforge.io.reader import Reader, reader_for, readers, recognise
from beamforge.stack import Channel, as_stack, channels_of

_SHOWN = 10


def image_files(folder: Path) -> list[Path]:
    """List the images in a folder in natural order: what a reader takes, or is named like something it takes.

    Hidden files and notes beside the images (logs, tables, ROIs) are passed over.
    """
    known = {suffix for reader in readers() for suffix in reader.suffixes}
    inside = (p for p in folder.iterdir() if not p.name.startswith(".") and (p.is_file() or p.suffix == ".zarr"))
    return sorted((p for p in inside if p.suffix.lower() in known), key=lambda p: natural_key(p.name))


def _format_of(suffix: str) -> str:
    return next(reader.name for reader in readers() if suffix in reader.suffixes)


def open_folder(folder: Path, dataset: str | None, max_bytes: int | None) -> xr.DataArray:
    """Open all images of a folder as one stack, in natural order of their names.

    Raises
    ------
    InputError
        If there is none, or they differ in size or type.
    """
    files = image_files(folder)
    kinds = Counter(path.suffix.lower() for path in files)
    if len({_format_of(suffix) for suffix in kinds}) > 1:
        listing = ", ".join(f"{count} {suffix}" for suffix, count in kinds.most_common())
        first = kinds.most_common(1)[0][0]
        raise InputError(f"{folder} holds several kinds of images ({listing}); choose with '{folder}/*{first}'")
    if not files:
        formats = ", ".join(reader.name for reader in readers())
        raise InputError(f"{folder} is a folder without images that can be read; supported: {formats}")
    return _join(str(folder), files, [{} for _ in files], dataset, max_bytes)


def open_pattern(pattern: str, dataset: str | None, allow_missing: bool, max_bytes: int | None) -> xr.DataArray:
    """Open the files of a pattern as one stack; see `beamforge.io.pattern.find_files`."""
    found = find_files(pattern, allow_missing=allow_missing)
    fields = [found.channel_fields(match) for match in found.matches]
    return _join(pattern, [match.path for match in found.matches], fields, dataset, max_bytes)


def _join(
    source: str,
    files: Sequence[Path],
    fields: Sequence[Mapping[str, str | float]],
    dataset: str | None,
    max_bytes: int | None,
) -> xr.DataArray:
    reader: Reader | None = None
    parts = []
    for path in files:
        # One look at the first file's reader spares asking all readers for each of thousands of files.
        if reader is None or recognise(path) is not reader:
            reader = reader_for(path)
        parts.append(to_stack(reader.open(path, dataset, max_bytes), str(path)))
    _refuse_odd_ones(source, files, parts)
    channels = _channels(parts, fields)
    data = da.concatenate([part.data for part in parts])
    check_size(source, data.shape, data.dtype, LAZY_CAP if max_bytes is None else max_bytes)
    attrs = {key: value for key, value in parts[0].attrs.items() if all(p.attrs.get(key) == value for p in parts)}
    attrs |= {"source": source, "files": [str(path) for path in files]}
    return as_stack(data, channels, **attrs)


def _channels(parts: Sequence[xr.DataArray], fields: Sequence[Mapping[str, str | float]]) -> list[Channel]:
    several = any(part.sizes["channel"] > 1 for part in parts)
    channels = []
    for number, (part, given) in enumerate(zip(parts, fields, strict=True)):
        for channel in channels_of(part):
            record = {"mode": channel.mode, **channel.numbers}
            if not given and len(parts) > 1:
                record["file" if several else "z"] = float(number)
            channels.append(Channel.model_validate(record | dict(given)))
    return channels


def _refuse_odd_ones(source: str, files: Sequence[Path], parts: Sequence[xr.DataArray]) -> None:
    kinds = [(part.sizes["y"], part.sizes["x"], part.sizes["channel"], str(part.dtype)) for part in parts]
    usual, often = Counter(kinds).most_common(1)[0]
    odd = [(path, kind) for path, kind in zip(files, kinds, strict=True) if kind != usual]
    if odd:
        listing = "; ".join(f"{path.name} is {_describe(kind)}" for path, kind in odd[:_SHOWN])
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        raise InputError(
            f"{source}: {often} of {len(files)} files are {_describe(usual)} but {listing}{more}; "
            "move them elsewhere or name the right ones with a pattern"
        )


def _describe(kind: tuple[int, int, int, str]) -> str:
    rows, columns, channels, dtype = kind
    return f"{rows}×{columns} {dtype}" + (f" in {channels} channels" if channels > 1 else "")
