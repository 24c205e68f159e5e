"""The kinds of measured data a recipe can name.

Each kind loads a stack and, where the recipe gives them, its labels, and says which files it read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import xarray as xr
from numpy.random import Generator
from pydantic import Field

from beamforge.errors import InputError
from beamforge.io import open_labels, open_stack
from beamforge.recipes.places import Places
from beamforge.recipes.radiographs import TransmissionMeasurement
from beamforge.recipes.settings import Settings
from beamforge.reduction import FringeMeasurement, PhaseScan, Region, reduce_fringes
from beamforge.simulation.phantoms.infer_config import InferPhantom
from beamforge.stack import check_pair


@dataclass(frozen=True)
class Measured:
    """A loaded measurement.

    Attributes
    ----------
    stack
        Its stack (channel, y, x).
    labels
        Its labels (y, x).
    simulated
        Whether it is a phantom's.
    """

    stack: xr.DataArray
    labels: xr.DataArray
    simulated: bool = False


class LabelSettings(Settings):
    """The labels of a measurement."""

    labels: str
    """A label image or an ImageJ ROI file or zip."""
    classes: tuple[str, ...] | None = None
    """Names of the classes by number, where the file has none."""

    def read_labels(self, places: Places, stack: xr.DataArray) -> xr.DataArray:
        """Read the labels of a stack."""
        labels = open_labels(places.find(self.labels), classes=self.classes, stack=stack)
        check_pair(stack, labels, labels_name=self.labels)
        return labels


class FilesMeasurement(LabelSettings):
    """A reduced stack in a file, a folder or a pattern of files."""

    kind: Literal["files"] = "files"
    stack: str
    """A file, a folder of images, a pattern with {mode} and {autocorrelation_length}, or file.h5:/path."""

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [places.find(self.stack), places.find(self.labels)]

    def load(self, places: Places, rng: Generator) -> Measured:
        """Open the stack and its labels."""
        stack = open_stack(places.find(self.stack))
        return Measured(stack, self.read_labels(places, stack))


class FringeSettings(Settings):
    """Phase-stepped frames of one autocorrelation length."""

    autocorrelation_length: float  # nm
    sample: str
    open_beam: str | None = None
    steps: tuple[float, ...] | None = None  # rad


class FringesMeasurement(LabelSettings):
    """Phase-stepped frames of a grating interferometer, reduced to H0, H1, dark field or phase."""

    kind: Literal["fringes"]
    scans: tuple[FringeSettings, ...] = Field(min_length=1)
    dark: str | None = None
    modes: tuple[str, ...] = ("H0", "H1", "DF")
    dose_region: Region | None = None

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        scans = [path for scan in self.scans for path in (scan.sample, scan.open_beam)]
        return [places.find(path) for path in (*scans, self.dark, self.labels) if path is not None]

    def load(self, places: Places, rng: Generator) -> Measured:
        """Reduce the frames of every autocorrelation length."""

        def frames(path: str) -> Any:
            return open_stack(places.find(path)).data

        dark = None if self.dark is None else frames(self.dark)
        parts = []
        for scan in self.scans:
            beam = None if scan.open_beam is None else PhaseScan(frames(scan.open_beam), scan.steps)
            measurement = FringeMeasurement(PhaseScan(frames(scan.sample), scan.steps), beam, dark)
            parts.append(
                reduce_fringes(
                    measurement,
                    modes=self.modes,
                    dose_region=self.dose_region,
                    autocorrelation_length=scan.autocorrelation_length,
                )
            )
        stack = xr.concat(parts, dim="channel", combine_attrs="drop_conflicts")
        return Measured(stack, self.read_labels(places, stack))


class RadiographsMeasurement(LabelSettings, TransmissionMeasurement):
    """Radiographs with their dark current and open beam, reduced to transmissions."""

    kind: Literal["transmission"]

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [*self.radiographs(places), places.find(self.labels)]

    def load(self, places: Places, rng: Generator) -> Measured:
        """Reduce the radiographs."""
        stack = self.reduce(places)
        return Measured(stack, self.read_labels(places, stack))


class PhantomMeasurement(Settings):
    """An acquisition of the grating-interferometry phantom; simulated from physics, for demonstrations and studies."""

    kind: Literal["infer_phantom"]
    layout: Literal["annotated", "unseen"]
    settings: InferPhantom = InferPhantom()

    def files(self, places: Places) -> list[str]:
        """Find what will be read: nothing."""
        return []

    def load(self, places: Places, rng: Generator) -> Measured:
        """Simulate the frames and reduce them like a measurement's."""
        from beamforge.simulation.phantoms.infer import measure

        stack, labels = measure(self.settings, rng, layout=self.layout, lazy=True)
        return Measured(stack, labels, simulated=True)


Measurement = Annotated[
    FilesMeasurement | FringesMeasurement | RadiographsMeasurement | PhantomMeasurement, Field(discriminator="kind")
]


def check_comparable(annotated: Measured, unseen: Measured) -> None:
    """Refuse an unseen measurement whose channels or classes differ from the annotated one's.

    Raises
    ------
    InputError
        Naming what differs.
    """
    modes = [[str(m) for m in one.stack["mode"].values] for one in (annotated, unseen)]
    if modes[0] != modes[1]:
        raise InputError(f"the unseen stack has the channels {modes[1]}, the annotated one {modes[0]}; they must agree")
    names = [one.labels.attrs["class_names"] for one in (annotated, unseen)]
    if names[0] != names[1]:
        raise InputError(f"the unseen labels have the classes {names[1]}, the annotated ones {names[0]}, not the same")
