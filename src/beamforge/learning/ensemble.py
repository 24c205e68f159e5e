"""Several segmenters that differ by chance, as one: the mean of their probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.files import atomic_path, read_json, write_json
from beamforge.learning.segmenter import Segmenter
from beamforge.learning.trained import Device
from beamforge.simulation.step import describe
from beamforge.stack import Channel, Classes

_FILE = "ensemble.json"


class _Content(BaseModel):
    """The content of ``ensemble.json``: folders of the members beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: tuple[Annotated[str, Field(pattern=r"^\w[\w-]*$")], ...] = Field(min_length=1)


class Ensemble:
    """A predictor that gives the mean of several segmenters' probabilities.

    Networks trained alike from other first weights, on other samples of one simulation, err differently where the
    image leaves a doubt; their mean errs less than each (Lakshminarayanan et al. 2017, "Simple and scalable predictive
    uncertainty estimation using deep ensembles", Eq. 1). It takes as many times as long.

    Parameters
    ----------
    members
        Segmenters of the same channels and classes.

    Raises
    ------
    InputError
        If there is none, or they do not go together.
    """

    def __init__(self, members: Sequence[Segmenter]) -> None:
        if not members:
            raise InputError("an ensemble without a member; give at least one segmenter")
        first = members[0]
        for other in members[1:]:
            if other.classes.names != first.classes.names or len(other.channels) != len(first.channels):
                raise InputError(
                    f"a network for the classes {list(other.classes.names)} in {len(other.channels)} channels does not "
                    f"go together with one for {list(first.classes.names)} in {len(first.channels)}"
                )
        self.members = tuple(members)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the input channels are."""
        return self.members[0].channels

    @property
    def classes(self) -> Classes:
        """What the output classes are."""
        return self.members[0].classes

    @property
    def halo(self) -> int:
        """Context in px: the widest of the members'."""
        return max(member.halo for member in self.members)

    @property
    def multiple(self) -> int:
        """Divisor of image sides in px that is valid for every member."""
        return math.lcm(*(member.multiple for member in self.members))

    def log_probabilities(self, images: Float32) -> Float32:
        """Map images (batch, channel, y, x) to logarithms of the mean probabilities (batch, class, y, x)."""
        total = np.zeros((len(images), len(self.classes), *images.shape[2:]), np.float64)
        for member in self.members:
            total += np.exp(member.log_probabilities(images))
        least = np.finfo(np.float32).tiny
        averaged: Float32 = np.log(np.maximum(total / len(self.members), least)).astype(np.float32)
        return averaged

    def save(self, folder: str | Path) -> None:
        """Write ``ensemble.json`` and a folder for every member into a folder, which appears or changes as a whole."""
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            names = [str(number) for number in range(1, len(self.members) + 1)]
            for name, member in zip(names, self.members, strict=True):
                member.save(temporary / name)
            write_json(temporary / _FILE, {"members": names})

    @classmethod
    def load(cls, folder: str | Path, device: Device = "auto") -> Self:
        """Read an ensemble from its folder.

        Raises
        ------
        InputError
            If a file is missing or does not hold what it should.
        """
        return cls([Segmenter.load(place, device) for place in _folders(Path(folder) / _FILE)])

    @staticmethod
    def lies_in(folder: str | Path) -> bool:
        """Say whether a folder holds an ensemble."""
        return (Path(folder) / _FILE).is_file()


def save_members(members: Sequence[Segmenter], folder: str | Path) -> None:
    """Write segmenters that are applied together: a single one as it is, several as an ensemble."""
    (members[0] if len(members) == 1 else Ensemble(members)).save(folder)


def member_folders(folder: str | Path) -> list[Path]:
    """List the folders of the segmenters that `save_members` wrote.

    Raises
    ------
    InputError
        If what says which there are is unreadable.
    """
    return _folders(Path(folder) / _FILE) if Ensemble.lies_in(folder) else [Path(folder)]


def _folders(file: Path) -> list[Path]:
    try:
        content = _Content.model_validate(read_json(file))
    except ValidationError as error:
        raise InputError(f"{file}: {describe(error)}") from error
    return [file.parent / name for name in content.members]
