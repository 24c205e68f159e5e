"""The kinds of annotated slices a recipe can name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import xarray as xr
from pydantic import Field, PositiveInt, model_validator

from beamforge.files import write_json
from beamforge.io import open_label_volume, open_stack
from beamforge.io.slice_files import Pairing, open_slice_files
from beamforge.io.slices import AnnotatedSlices, VolumeSlices
from beamforge.provenance import provenance
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.places import Places
from beamforge.recipes.settings import Settings
from beamforge.recipes.stages import Run
from beamforge.recipes.streams import seed_for
from beamforge.simulation.pillar_volume import PillarVolume
from beamforge.simulation.scenarios.micropillar import PILLAR_CLASSES
from beamforge.simulation.step import Step
from beamforge.stack import Classes


class SliceFiles(Settings):
    """A folder of slices and a folder of their masks."""

    kind: Literal["slices"]
    images: str
    masks: str
    classes: tuple[str, ...] | None = None
    """Names of the classes by number; with a legend, their order."""
    legend: dict[int | str, str] | None = None
    """Class by grey level or by colour ("#rrggbb") of the masks; one class may stand for several values."""
    unlabelled: str | None = None
    """Class of what the legend does not list, or "ignore"."""
    pairing: Pairing = "name"
    """Whether masks are named like the images, or both are in the same order."""
    pattern: str | None = None
    """Regular expression with the groups z, volume and part, found in the images' names."""
    ordered: bool = True
    """Whether the images are slices of volumes; false for separate images."""
    sparse: bool = False
    """Whether only some of the images have a mask."""
    allow_missing: bool = False
    """Whether slices may be missing."""
    channels: tuple[int, ...] | None = None
    """Channels of the images to keep; grey images that were saved as RGB need only [0]."""
    cache_mib: Annotated[int, Field(ge=1)] = 1024
    """Slices kept in memory."""

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [places.find(self.images), places.find(self.masks)]

    def open(self, places: Places, prepared: Path) -> AnnotatedSlices:
        """Open the slices."""
        options = self.model_dump(exclude={"kind", "images", "masks", "cache_mib"})
        images, masks = self.files(places)
        return open_slice_files(images, masks, cache_bytes=self.cache_mib << 20, **options)

    def prepare(self, prepared: Path, seed: int) -> bool:
        """Do nothing, the files are there; say that they are not simulated."""
        return False


class SliceVolume(Settings):
    """A volume in one file, or in a folder of slices, and its label volume."""

    kind: Literal["volume"]
    volume: str
    labels: str
    classes: tuple[str, ...]
    cache_mib: Annotated[int, Field(ge=1)] = 1024
    """Slices kept in memory."""

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [places.find(self.volume), places.find(self.labels)]

    def open(self, places: Places, prepared: Path) -> AnnotatedSlices:
        """Open the volume."""
        volume, labels = self.files(places)
        return volume_slices(volume, labels, self.classes, self.cache_mib << 20)

    def prepare(self, prepared: Path, seed: int) -> bool:
        """Do nothing, the files are there; say that they are not simulated."""
        return False


class SimulatedPillar(Settings):
    """A simulated tomogram of a micropillar; the recipe's seed draws it."""

    kind: Literal["micropillar"]
    size: tuple[PositiveInt, PositiveInt] = (96, 192)
    """Slices, and side of each in px; up to 730 and 768 as in the TXM paper, and beyond."""
    pillar: dict[str, Any] = Field(default_factory=dict)
    """Settings of the scene `micropillar`."""
    tomogram: dict[str, Any] = Field(default_factory=dict)
    """Settings of the intensity `tomogram`."""
    cache_mib: Annotated[int, Field(ge=1)] = 1024
    """Slices kept in memory."""

    @property
    def volume(self) -> PillarVolume:
        """What is simulated."""
        depth, side = self.size
        scene = Step.from_dict({"step": "micropillar", **self.pillar, "tile": side, "depth": depth})
        measurement = Step.from_dict({"step": "tomogram", **self.tomogram})
        return PillarVolume.model_validate({"pillar": scene, "tomogram": measurement})

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _ = self.volume
        return self

    def files(self, places: Places) -> list[str]:
        """Find what will be read: nothing."""
        return []

    def open(self, places: Places, prepared: Path) -> AnnotatedSlices:
        """Open what `prepare` wrote."""
        names = PILLAR_CLASSES.names
        return volume_slices(prepared / "image.zarr", prepared / "labels.zarr", names, self.cache_mib << 20)

    def prepare(self, prepared: Path, seed: int) -> bool:
        """Simulate the volume, and say that it is simulated."""
        self.volume.write(prepared, seed_for(seed, "micropillar"))
        return True


def volume_slices(volume: str | Path, labels: str | Path, classes: tuple[str, ...], cache_bytes: int) -> VolumeSlices:
    """Open a volume, whose slices are the channels of a stack, and its label volume."""
    stack = open_stack(volume)
    slices = xr.DataArray(stack.data, dims=("z", "y", "x"), attrs=stack.attrs)
    marked = open_label_volume(labels)
    return VolumeSlices(slices, marked, Classes(names=classes), name=str(volume), cache_bytes=cache_bytes)


SliceData = Annotated[SliceFiles | SliceVolume | SimulatedPillar, Field(discriminator="kind")]


def describe_source(data: SliceFiles | SliceVolume | SimulatedPillar) -> dict[str, Any]:
    """Give the settings that decide what the slices are, without how many are kept in memory."""
    return data.model_dump(mode="json", exclude={"cache_mib"})


def prepare_in_run(run: Run, data: SliceData, judged: SliceData | None, places: Places, seed: int) -> None:
    """Make the simulated ones among a run's slices in its stage ``data``, and note where all come from."""
    sources = {name: one for name, one in (("data", data), ("judged", judged)) if one is not None}
    files = [path for one in sources.values() for path in one.files(places)]

    def make(folder: Path, _: Path) -> None:
        simulated = [one.prepare(folder / name, seed) for name, one in sources.items()]
        write_json(folder / "provenance.json", provenance(simulated=any(simulated), inputs=files, seed=seed))

    settings = {
        "sources": {name: describe_source(one) for name, one in sources.items()},
        "files": fingerprint(files),
        "seed": seed,
    }
    run.stage("data", settings, [], make)
