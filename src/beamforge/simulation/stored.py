"""Reading the data sets of `beamforge.simulation.dataset`, which describes their layout."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import zarr

from beamforge.arrays import join_arrays
from beamforge.errors import InputError
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenario import Scenario
from beamforge.stack import Channel, Classes

FORMAT = "beamforge-samples-1"


class StoredSamples(Sequence[Sample]):
    """The finished samples of a data set, read one at a time.

    Attributes
    ----------
    path
        The folder of the data set.
    images, labels
        The Zarr arrays: float32 (sample, channel, y, x) and uint8 (sample, y, x).
    scenario
        What simulated them; ``scenario.replay(samples.parameters(i))`` simulates a sample again, with its extras,
        which are not stored.
    seed
        Seed of the data set.
    """

    def __init__(self, path: Path, group: zarr.Group) -> None:
        self.path = path
        self.seed = int(group.attrs["seed"])  # type: ignore[arg-type]
        self.attrs: dict[str, Any] = dict(group.attrs)
        self.images = array_of(group, "images")
        self.labels = array_of(group, "labels")
        self._lines = finished_lines(path)
        self._group = group

    @property
    def scenario(self) -> Scenario:
        """The scenario that made the samples."""
        return Scenario.load(self.path / "scenario")

    @property
    def classes(self) -> Classes:
        """What the labels mean."""
        return Classes.model_validate(self.attrs["classes"])

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels are."""
        return tuple(Channel.model_validate(channel) for channel in self.attrs["channels"])

    def __len__(self) -> int:
        return int(self.images.shape[0])

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        image, labels = self.pixels(index)
        return Sample(image=image, labels=labels, parameters=self.parameters(index))

    def pixels(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read image and labels of one sample without its parameters.

        Raises
        ------
        InputError
            If the pixels of the sample are missing or damaged.
        """
        index = self._checked(index)
        try:
            image, labels = np.asarray(self.images[index]), np.asarray(self.labels[index])
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self.path}: sample {index} is damaged ({error}); copy the data set again") from error
        # A chunk that is not there reads as the fill value.
        if np.isnan(image).all():
            raise InputError(f"{self.path}: the pixels of sample {index} are missing; copy the whole data set again")
        return image, labels

    def parameters(self, index: int) -> Parameters:
        """Give what was drawn for one sample, arrays included."""
        index = self._checked(index)
        plain = json.loads(self._lines[index])
        folder = f"draws/{index}"
        # Keys of a group are listed from the disk: most samples have none and need no listing.
        names = dict(self._group[folder].arrays()) if (self.path / folder).is_dir() else {}  # type: ignore[union-attr]
        joined = join_arrays(plain, {name: np.asarray(array[...]) for name, array in names.items()})
        return dict(joined)

    def _checked(self, index: int) -> int:
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return position


def open_dataset(path: str | Path) -> StoredSamples:
    """Open a finished data set.

    Raises
    ------
    InputError
        If there is none at `path`, or it is not finished.
    """
    folder = Path(path)
    samples = StoredSamples(folder, open_group(folder))
    finished = len(samples._lines)
    if finished < len(samples):
        raise InputError(
            f"{folder} holds {finished} of {len(samples)} samples; run the command that wrote it again to finish it"
        )
    return samples


def open_group(folder: Path) -> zarr.Group:
    """Open the Zarr group of a data set.

    Raises
    ------
    InputError
        If nothing or something else stands there.
    """
    if not folder.exists():
        raise InputError(f"{folder}: no such data set")
    try:
        if not folder.is_dir():
            raise NotADirectoryError(folder)
        group = zarr.open_group(folder, mode="r+" if os.access(folder, os.W_OK) else "r")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{folder} is not a data set of simulated samples; choose another path") from error
    if group.attrs.get("format") != FORMAT:
        raise InputError(
            f"{folder} is a Zarr group but not a data set of simulated samples "
            f"(its attribute 'format' is {group.attrs.get('format')!r}, expected {FORMAT!r}); choose another path"
        )
    return group


def array_of(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """Open an array of the data set."""
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise InputError(f"{group.store_path}/{name} is not an array; copy the whole data set again")
    return array


def finished_lines(folder: Path) -> dict[int, str]:
    """Read the line of every finished sample by its index; a line that a kill cut short does not count."""
    text = (folder / "parameters.jsonl").read_bytes()
    whole = text[: text.rfind(b"\n") + 1].decode("utf-8").splitlines()
    return {int(json.loads(line)["index"]): line for line in whole}
