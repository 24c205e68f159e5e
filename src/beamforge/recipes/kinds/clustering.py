"""Recipes that group pixels by their spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from beamforge.errors import InputError
from beamforge.physics.bragg_edges import Lattice, bragg_edges
from beamforge.recipes.schema import RecipeBase, folder_name
from beamforge.recipes.settings import Settings
from beamforge.simulation.phantoms.time_of_flight import TimeOfFlightPhantom

if TYPE_CHECKING:
    from pathlib import Path

    from beamforge.recipes.clusterings.outcome import ClusteringOutcome
    from beamforge.recipes.stages import Run


class SpectraFiles(Settings):
    """A stack whose channels are the bins of a spectrum, with labels to compare with if there are any."""

    kind: Literal["files"] = "files"
    stack: str
    labels: str | None = None
    classes: tuple[str, ...] | None = None
    legend: dict[int | str, str] | None = None
    unlabelled: str | None = None


class SpectraPhantom(Settings):
    """The built-in time-of-flight measurement of an assembly of metals; simulated from physics."""

    kind: Literal["time_of_flight_phantom"]
    settings: TimeOfFlightPhantom = TimeOfFlightPhantom()


class CrystalSettings(Settings):
    """A cubic crystal whose Bragg edges are marked in the spectra."""

    lattice_constant: PositiveFloat  # Å
    lattice: Lattice
    count: PositiveInt = 3
    """How many of its edges, from the longest wavelength on."""


class ClusterRow(Settings):
    """One way to group, with the options of `beamforge.classical.clustering.cluster`."""

    method: Literal["kmeans", "mixture"] = "kmeans"
    count: PositiveInt | Literal["bic", "silhouette"] | None = None
    """Number of clusters; by default the recipe's."""
    position: NonNegativeFloat = 0.0
    bins: PositiveInt = 1
    """How many neighbouring channels are averaged first."""


class ClusteringRecipe(RecipeBase):
    """From spectra to a map of clusters, in several ways side by side; the first is the one the headline is about."""

    kind: Literal["clustering"] = "clustering"
    annotated: Annotated[SpectraFiles | SpectraPhantom, Field(discriminator="kind")]
    wavelengths: tuple[PositiveFloat, PositiveFloat] | None = None  # Å
    """Middle of the first and the last bin, for stacks that do not say it."""
    count: PositiveInt | Literal["bic", "silhouette"] = 6
    most: PositiveInt = 10
    """Largest number of clusters that is tried."""
    restarts: PositiveInt = 10
    rows: dict[str, ClusterRow] = Field(min_length=1)
    crystals: dict[str, CrystalSettings] = Field(default_factory=dict)
    """Crystals whose Bragg edges are marked, by name."""

    @field_validator("annotated", mode="before")
    @classmethod
    def _files_where_a_stack_is_named(cls, value: Any) -> Any:
        """Take what names a stack as files, whatever the shipped recipe had there."""
        if isinstance(value, dict) and "stack" in value:
            rest = {key: part for key, part in value.items() if key != "settings"}
            return {**rest, "kind": "files"}
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name in self.rows:
            folder_name(name)
        if self.wavelengths is not None and self.wavelengths[0] == self.wavelengths[1]:
            raise ValueError(f"wavelengths start and end at {self.wavelengths[0]:g} Å")
        try:
            self.edges()
        except InputError as error:
            raise ValueError(str(error)) from error
        return self

    def edges(self) -> dict[str, float]:
        """Give the wavelengths in Å to mark, by crystal and plane."""
        return {
            f"{name} {plane}": wavelength
            for name, crystal in self.crystals.items()
            for plane, wavelength in bragg_edges(crystal.lattice_constant, crystal.lattice, count=crystal.count).items()
        }

    def run(self, stages: Run) -> ClusteringOutcome:
        """Run all stages from the spectra to the report."""
        from beamforge.recipes.clusterings.job import ClusteringJob
        from beamforge.recipes.clusterings.outcome import ClusteringOutcome
        from beamforge.recipes.clusterings.report import write_report

        job = ClusteringJob(self, stages)
        job.measure()
        for row in self.rows:
            job.group(row)
        files = {f"labels, {row}": job.folder(row) / "labels.tif" for row in self.rows}
        return ClusteringOutcome(report=write_report(job), files=files, name=self.name, found=job.results())

    def write_report(self, stages: Run) -> Path:
        """Write the report of a finished run again."""
        from beamforge.recipes.clusterings.job import ClusteringJob
        from beamforge.recipes.clusterings.report import write_report

        return write_report(ClusteringJob(self, stages))
