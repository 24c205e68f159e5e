"""Simulated samples on disk: Zarr v3, one chunk a sample, what was drawn kept beside every sample.

A data set is a Zarr group, so that any Zarr reader opens it::

    DATA.zarr/
      zarr.json          attributes: classes, channels, pixel size, seed, provenance, simulated = true
      images/            float32 (sample, channel, y, x)
      labels/            uint8 (sample, y, x)
      parameters.jsonl   one line a sample: {"seed", "index", "draws"}; an array reads {"array": NAME} there ...
      draws/INDEX/NAME   ... and stands here
      scenario/          the scenario itself

A sample counts as finished when its line stands in ``parameters.jsonl``; the line is written after the pixels. Hence
a run that is killed anywhere goes on where it was, and what is finished is never simulated again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from beamforge.arrays import split_arrays
from beamforge.errors import InputError
from beamforge.files import atomic_path, full_disk_named, write_text
from beamforge.progress import tracked
from beamforge.provenance import provenance
from beamforge.simulation.sample import Sample
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.stored import FORMAT, StoredSamples, array_of, finished_lines, open_dataset, open_group
from beamforge.simulation.variations import Variations
from beamforge.stack import IGNORE

__all__ = ["StoredSamples", "open_dataset", "write_dataset"]

# Noise does not compress beyond its bytes of sign, exponent and leading mantissa, which byte shuffling sets apart; a
# slower coder gains 4 % in size and costs two thirds of the reading speed.
_NOISY = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)
_SMOOTH = BloscCodec(cname="zstd", clevel=3, shuffle="noshuffle", typesize=1)

Source = Scenario | Variations
"""What simulates by seed and index."""


def write_dataset(
    scenario: Source,
    path: str | Path,
    count: int,
    seed: int,
    *,
    workers: int = 1,
    progress: bool = True,
) -> StoredSamples:
    """Simulate samples 0..count-1 into a data set, or finish one that was begun.

    The bytes of the samples and their parameters do not depend on `workers` or on how often the work was interrupted.

    Parameters
    ----------
    scenario
        What simulates, a scenario or variations of its samples; all samples must have one shape.
    path
        Folder of the data set, by custom ``NAME.zarr``. One of the same scenario and seed is continued; a larger
        `count` makes it grow.
    count
        Number of samples.
    seed
        Seed of the data set; sample ``i`` is ``scenario(seed, i)``.
    workers
        Processes that simulate. More than one start as a local dask cluster; scripts then need the guard
        ``if __name__ == "__main__":``.
    progress
        Whether to show how far the work is.

    Raises
    ------
    InputError
        If something else stands at `path`, or the scenario's samples do not fit a data set.
    BeamforgeError
        If the disk is full or a worker process was killed; finished samples are kept.
    """
    if count < 1 or seed < 0 or workers < 1:
        raise InputError(f"count {count}, seed {seed}, workers {workers}: expected at least 1, 0 and 1")
    folder = Path(path)
    if folder.exists():
        _check_same(folder, scenario, seed, count)
    else:
        _create(folder, scenario, count, seed)
    with full_disk_named(folder):
        _resize(open_group(folder), count)
        todo = sorted(set(range(count)) - set(_recover_lines(folder)))
        lines = _simulated_lines(scenario, folder, seed, todo, workers)
        with (folder / "parameters.jsonl").open("a", encoding="utf-8") as log, contextlib.closing(lines):
            for line in tracked(lines, "simulating", len(todo)) if progress else lines:
                log.write(line + "\n")
                log.flush()
        _sort_lines(folder)
    return open_dataset(folder)


def _simulated_lines(scenario: Source, folder: Path, seed: int, todo: Sequence[int], workers: int) -> Generator[str]:
    """Store the samples and yield the parameter line of each as it is finished."""
    if workers == 1 or len(todo) < 2:
        for index in todo:
            yield store_sample(scenario, folder, seed, index)
        return
    # Half a second to import, and only needed here.
    from beamforge.simulation.cluster import on_processes

    yield from on_processes(partial(store_sample, scenario, folder, seed), todo, min(workers, len(todo)))


def store_sample(scenario: Source, folder: Path, seed: int, index: int) -> str:
    """Simulate one sample, write its pixels and large draws, and give its line of ``parameters.jsonl``."""
    sample = scenario(seed, index)
    group = open_group(folder)
    images, labels = array_of(group, "images"), array_of(group, "labels")
    _check_sample(sample, scenario, index, images.shape[1:])
    plain, arrays = split_arrays(sample.parameters)
    for name, array in arrays.items():
        group.create_array(f"draws/{index}/{name}", data=array, overwrite=True)
    images[index] = sample.image
    labels[index] = sample.labels
    return json.dumps(plain, allow_nan=False, ensure_ascii=False)


def _check_sample(sample: Sample, scenario: Source, index: int, shape: tuple[int, ...]) -> None:
    if sample.image.shape != shape:
        raise InputError(
            f"scenario {scenario.name!r}: sample {index} is {sample.image.shape} (channel, y, x), "
            f"the first one was {shape}; a data set needs one shape"
        )
    highest = int(np.max(sample.labels, where=sample.labels != IGNORE, initial=0))
    if highest >= len(scenario.classes):
        raise InputError(
            f"scenario {scenario.name!r}: sample {index} holds the class number {highest}, "
            f"but only 0..{len(scenario.classes) - 1} are declared ({', '.join(scenario.classes.names)})"
        )


def _create(folder: Path, scenario: Source, count: int, seed: int) -> None:
    """Lay out an empty data set; it appears as a whole or not at all."""
    first = scenario(seed, 0)
    if first.image.shape[0] != len(scenario.channels):
        raise InputError(
            f"scenario {scenario.name!r} declares {len(scenario.channels)} channels but simulates images of "
            f"{first.image.shape[0]}; describe every channel"
        )
    with atomic_path(folder) as temporary:
        group = zarr.create_group(temporary, zarr_format=3, attributes=_attributes(scenario, seed))
        # Pixels that were never written must not look like measured ones: NaN and ignore.
        group.create_array(
            "images",
            shape=(count, *first.image.shape),
            chunks=(1, *first.image.shape),
            dtype=np.float32,
            compressors=_NOISY,
            fill_value=np.nan,
            dimension_names=("sample", "channel", "y", "x"),
        )
        group.create_array(
            "labels",
            shape=(count, *first.labels.shape),
            chunks=(1, *first.labels.shape),
            dtype=np.uint8,
            compressors=_SMOOTH,
            fill_value=IGNORE,
            dimension_names=("sample", "y", "x"),
        )
        group.create_group("draws")
        scenario.save(temporary / "scenario")
        write_text(temporary / "parameters.jsonl", "")


def _attributes(scenario: Source, seed: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "simulated": True,
        "seed": seed,
        "scenario": scenario.name,
        "fingerprint": fingerprint(scenario),
        "classes": scenario.classes.model_dump(mode="json"),
        "channels": [channel.model_dump(mode="json") for channel in scenario.channels],
        "pixel_size": scenario.pixel_size,
        "pixel_size_unit": scenario.pixel_size_unit,
        "provenance": provenance(simulated=True, seed=seed),
    }


def fingerprint(scenario: Source) -> str:
    """Hash all settings of a scenario, learnt arrays included, as hexadecimal text."""
    plain, arrays = split_arrays(scenario.to_dict())
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_same(folder: Path, scenario: Source, seed: int, count: int) -> None:
    """Refuse to mix samples of different origin."""
    group = open_group(folder)
    stands = dict(group.attrs)
    advice = "choose another path or remove the data set first"
    if stands["fingerprint"] != fingerprint(scenario):
        raise InputError(
            f"{folder} holds samples of the scenario {stands['scenario']!r} with other settings than "
            f"{scenario.name!r} has now; {advice}"
        )
    if stands["seed"] != seed:
        raise InputError(f"{folder} holds samples of the seed {stands['seed']}, not of {seed}; {advice}")
    begun = array_of(group, "images").shape[0]
    if count < begun:
        raise InputError(f"{folder} was begun with {begun} samples, {count} are too few now; {advice}")


def _resize(group: zarr.Group, count: int) -> None:
    for name in ("images", "labels"):
        array = array_of(group, name)
        if array.shape[0] < count:
            array.resize((count, *array.shape[1:]))


def _recover_lines(folder: Path) -> dict[int, str]:
    """Read the finished lines and drop what a kill cut short, so that further ones can be appended."""
    lines = finished_lines(folder)
    if not (folder / "parameters.jsonl").read_bytes().endswith(b"\n"):
        _write_lines(folder, lines)
    return lines


def _sort_lines(folder: Path) -> None:
    lines = finished_lines(folder)
    if list(lines) != sorted(lines):
        _write_lines(folder, lines)


def _write_lines(folder: Path, lines: dict[int, str]) -> None:
    write_text(folder / "parameters.jsonl", "".join(lines[index] + "\n" for index in sorted(lines)))
