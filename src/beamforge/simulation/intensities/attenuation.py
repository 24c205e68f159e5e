"""What beams of neutrons or X-rays leave behind known thicknesses of known materials."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.physics.materials import Material
from beamforge.physics.spectrum import Spectrum, partial_volume
from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenes.parts import THICKNESS
from beamforge.simulation.step import Intensity


class Beam(BaseModel):
    """A beam, which makes one channel.

    Attributes
    ----------
    radiation
        ``neutron`` or ``xray``.
    values
        Wavelengths in Å or energies in keV; without any, neutrons have the spectrum of `temperature`.
    weights
        Relative intensity that the detector sees of each; equal by default.
    temperature
        Of the moderator in K.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    radiation: Literal["neutron", "xray"] = "neutron"
    values: tuple[PositiveFloat, ...] = ()
    weights: tuple[float, ...] = ()
    temperature: PositiveFloat = 293.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.radiation == "xray" and not self.values:
            raise ValueError("a beam of X-rays needs its energies in keV under `values`")
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.weights)} weights for {len(self.values)} values, expected one for each")
        self.spectrum()
        return self

    def spectrum(self) -> Spectrum:
        """Give the spectrum."""
        if not self.values:
            return Spectrum.thermal_neutrons(self.temperature, bins=16)
        weights = np.array(self.weights or [1.0] * len(self.values))
        return Spectrum(radiation=self.radiation, values=np.array(self.values), weights=weights)


class Attenuation(Intensity, name="attenuation"):
    """Fills each channel with the transmission of a beam (Beer-Lambert over its whole spectrum).

    The scene before leaves the thickness of each material; see the step ``parts``. Pixels at edges average intensities.

    Attributes
    ----------
    materials
        Of the scene, in its order: ``FORMULA`` or ``FORMULA@DENSITY`` in g/cm³.
    beams
        One for each channel.
    density
        Factor on all densities: porosity, alloys, water that is not pure.
    """

    materials: tuple[str, ...] = Field(min_length=1)
    beams: tuple[Beam, ...] = Field(default=(Beam(),), min_length=1)
    density: Interval = Interval(low=0.97, high=1.03)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for text in self.materials:
            try:
                Material.parse(text)
            except InputError as error:
                raise ValueError(str(error)) from error
        return self

    @cached_property
    def _coefficients(self) -> list[tuple[Float64, Float64]]:
        """For each beam, the weights (bin,) and the attenuation (material, bin) in 1/cm."""
        materials = [Material.parse(text) for text in self.materials]
        found = []
        for spectrum in (beam.spectrum() for beam in self.beams):
            table = np.stack([spectrum.coefficients(material) for material in materials])
            found.append((spectrum.weights / spectrum.weights.sum(), table))
        return found

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Compute the transmissions."""
        thickness = sample.extras.get(THICKNESS)
        if thickness is None or len(thickness) != len(self.materials):
            found = "none" if thickness is None else f"{len(thickness)}"
            raise InputError(
                f"the step 'attenuation' was given {len(self.materials)} materials, but thicknesses of {found} were "
                "left before it; put it after the step 'parts' with as many materials"
            )
        fine = max(1, thickness.shape[1] // max(1, sample.labels.shape[0]))
        flat = thickness.reshape(len(thickness), -1) * np.float32(parameters["density"])
        channels = []
        for weights, table in self._coefficients:
            passed = np.zeros(flat.shape[1])
            for weight, coefficients in zip(weights, table.T, strict=True):
                passed += weight * np.exp(-(coefficients.astype(np.float32) @ flat))
            channels.append(partial_volume(passed.reshape(thickness.shape[1:]), fine))
        return sample.replace(image=np.stack(channels).astype(np.float32))
