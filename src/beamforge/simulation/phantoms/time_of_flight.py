"""A time-of-flight transmission of an assembly of metals: what a neutron spectrum says about crystals.

It stands in for an energy-resolved measurement: two steels whose surfaces were treated, a spacer of aluminium, the open
beam around them. No fitted curve is in it; spectra follow from `beamforge.physics.bragg_edges.crystal_attenuation` and
counts from Poisson's law.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float64
from beamforge.physics.bragg_edges import Lattice, crystal_attenuation
from beamforge.stack import Classes, as_labels, as_stack

CLASSES = Classes(
    names=("open beam", "aluminium", "ferrite core", "ferrite surface", "austenite core", "austenite surface"),
    colours=("#e8e4dc", "#97bbf5", "#b8420f", "#efb118", "#3b7f6f", "#a463f2"),
)


class Crystal(BaseModel):
    """A polycrystal: element, cubic cell, and density relative to the perfect crystal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    element: str
    lattice_constant: PositiveFloat  # Å
    lattice: Lattice
    density: PositiveFloat = 1.0

    def attenuation(self, wavelengths: Float64) -> Float64:
        """Give the attenuation coefficient (bin,) in 1/cm."""
        return self.density * crystal_attenuation(self.element, wavelengths, self.lattice_constant, self.lattice)


ALUMINIUM = Crystal(element="Al", lattice_constant=4.0496, lattice="fcc")
FERRITE = Crystal(element="Fe", lattice_constant=2.8665, lattice="bcc")
AUSTENITE = Crystal(element="Fe", lattice_constant=3.59, lattice="fcc")


class TimeOfFlightPhantom(BaseModel):
    """Sizes and counts of the phantom.

    Attributes
    ----------
    size
        Side of the image in px.
    bins
        Number of wavelengths.
    shortest, longest
        Of the wavelengths in Å.
    counts
        Of a pixel of the open beam in each bin; 110 were measured on a real detector of this kind.
    thickness
        Of the steels along the beam in cm.
    swelling
        Relative change of the lattice constant at the treated surfaces.
    loss
        Relative change of their density.
    blur
        Light spread in px.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=96, ge=32, le=2048)
    bins: int = Field(default=160, ge=8, le=4000)
    shortest: PositiveFloat = 1.5
    longest: PositiveFloat = 4.8
    counts: PositiveFloat = 110.0
    thickness: PositiveFloat = 0.9
    swelling: float = 0.01
    loss: float = Field(default=0.05, ge=0.0, lt=1.0)
    blur: float = Field(default=0.5, ge=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.shortest < self.longest:
            raise ValueError(f"wavelengths run from {self.shortest:g} to {self.longest:g} Å, expected ascending")
        return self

    @property
    def wavelengths(self) -> Float64:
        """Middle of each bin in Å."""
        edges = np.linspace(self.shortest, self.longest, self.bins + 1)
        return np.asarray((edges[1:] + edges[:-1]) / 2.0)

    def depths(self) -> Float64:
        """Give −ln of the transmission of each class (class, bin)."""
        waves = self.wavelengths
        treated = {"density": 1.0 - self.loss}
        rows = [np.zeros(self.bins), 2.0 * ALUMINIUM.attenuation(waves)]
        for steel in (FERRITE, AUSTENITE):
            swollen = steel.model_copy(
                update={**treated, "lattice_constant": steel.lattice_constant * (1.0 + self.swelling)}
            )
            rows += [self.thickness * one.attenuation(waves) for one in (steel, swollen)]
        return np.stack(rows)


def layout(size: int) -> np.ndarray:
    """Lay out the classes (y, x): a bar of each steel with treated surfaces, a spacer of aluminium between them."""
    y, x = (np.arange(size) + 0.5)[:, None] / size, (np.arange(size) + 0.5)[None, :] / size
    labels = np.zeros((size, size), np.uint8)
    labels[(np.abs(y - 0.5) < 0.06) & (x > 0.08) & (x < 0.92)] = 1
    for number, top, bottom in ((2, 0.08, 0.44), (4, 0.56, 0.92)):
        bar = (y >= top) & (y < bottom) & (x > 0.15) & (x < 0.85)
        core = (y >= top + 0.09) & (y < bottom - 0.06) & (x > 0.22) & (x < 0.78)
        labels[bar] = number + 1
        labels[bar & core] = number
    return labels


def measure(config: TimeOfFlightPhantom, rng: Generator) -> tuple[xr.DataArray, xr.DataArray]:
    """Count neutrons with and without the assembly and divide.

    Returns
    -------
    stack
        Transmissions (channel, y, x) with their wavelengths.
    labels
        (y, x) of `CLASSES`.
    """
    labels = layout(config.size)
    waves, depths = config.wavelengths, config.depths()
    # The flux falls towards long wavelengths; its middle bin has the counts asked for.
    flux = (waves / np.median(waves)) ** -2.0
    images = np.empty((config.bins, config.size, config.size), np.float32)
    for image, strength, depth in zip(images, flux, depths.T, strict=True):
        expected = gaussian_filter(np.exp(-depth)[labels], config.blur, mode="nearest")
        open_beam = rng.poisson(np.full(labels.shape, 20.0 * config.counts * strength)) / 20.0
        image[:] = rng.poisson(config.counts * strength * expected) / np.maximum(open_beam, 1.0)
    channels = [{"mode": "transmission", "wavelength": float(wave)} for wave in waves]
    stack = as_stack(images, channels, pixel_size=55.0, simulated=True)
    return stack, as_labels(labels, CLASSES, pixel_size=55.0)
