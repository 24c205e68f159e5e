"""The kinds of measured data a recipe can name.

Each kind loads a stack and, where the recipe gives them, its labels, and says which files it read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import xarray as xr
from numpy.random import Generator
from pydantic import Field, PositiveFloat

from beamforge.errors import InputError
from beamforge.io import named_classes, open_labels, open_stack
from beamforge.recipes.fringes import FringeSeries
from beamforge.recipes.places import Places
from beamforge.recipes.radiographs import TransmissionMeasurement
from beamforge.recipes.settings import Settings
from beamforge.simulation.phantoms.infer_config import InferPhantom


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
    """Names of the classes by number, where the file has none; with ROIs and a legend, their order."""
    legend: dict[int | str, str] | None = None
    """Class by pixel value, by colour ("#rrggbb") or by name of an ROI; "ignore" leaves pixels out."""
    unlabelled: str | None = None
    """Class of the pixels in no ROI or not in the legend."""

    def like(self, annotated: Settings, labels: xr.DataArray, places: Places) -> Self:
        """Take over what the labels of the annotated measurement mean, where neither settings nor file say it.

        An unseen measurement need not show every class, and its file cannot say which are missing.
        """
        own = {"classes", "legend", "unlabelled"} & self.model_fields_set
        if own or named_classes(places.find(self.labels)) is not None:
            return self
        update: dict[str, Any] = {"classes": tuple(labels.attrs["class_names"])}
        if isinstance(annotated, LabelSettings):
            update |= {"legend": annotated.legend, "unlabelled": annotated.unlabelled}
        return self.model_copy(update=update)

    def read_labels(self, places: Places, stack: xr.DataArray) -> xr.DataArray:
        """Read the labels of a stack."""
        return open_labels(
            places.find(self.labels),
            classes=self.classes,
            legend=self.legend,
            unlabelled=self.unlabelled,
            stack=stack,
        )


class FilesMeasurement(LabelSettings):
    """A reduced stack in a file, a folder or a pattern of files."""

    kind: Literal["files"] = "files"
    stack: str
    """A file, a folder of images, a pattern with {mode} and {autocorrelation_length}, or file.h5:/path."""
    pixel_size: PositiveFloat | None = None  # µm
    """Side of a pixel, where the file does not say it."""

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [places.find(self.stack), places.find(self.labels)]

    def load(self, places: Places, rng: Generator) -> Measured:
        """Open the stack and its labels."""
        stack = open_stack(places.find(self.stack), pixel_size=self.pixel_size)
        return Measured(stack, self.read_labels(places, stack))


class FringesMeasurement(LabelSettings, FringeSeries):
    """Phase-stepped frames of a grating interferometer, reduced to H0, H1, dark field or phase."""

    kind: Literal["fringes"]

    def files(self, places: Places) -> list[str]:
        """Find what will be read."""
        return [*self.frame_files(places), places.find(self.labels)]

    def load(self, places: Places, rng: Generator) -> Measured:
        """Reduce the frames of every autocorrelation length, lazily."""
        stack = self.reduce(places)
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

    def like(self, annotated: Settings, labels: xr.DataArray, places: Places) -> Self:
        """Change nothing: the phantom has the classes of its configuration."""
        return self

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
        raise InputError(
            f"the unseen labels have the classes {names[1]}, the annotated ones {names[0]}; they must be the same"
        )
