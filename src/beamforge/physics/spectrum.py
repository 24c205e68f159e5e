"""Beams of many energies or wavelengths: beam hardening, and thin things that fill a pixel in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, model_validator

from beamforge.arrays import Float64, Float64Field
from beamforge.errors import InputError
from beamforge.physics.materials import Material

Radiation = Literal["neutron", "xray"]


class Spectrum(BaseModel):
    """What a beam is made of.

    Attributes
    ----------
    radiation
        ``neutron`` (values are wavelengths in Å) or ``xray`` (values are energies in keV).
    values
        (bin,) wavelengths or energies.
    weights
        (bin,) relative intensity that the detector sees of each without a sample; need not add up to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    radiation: Radiation
    values: Float64Field
    weights: Float64Field

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.values.ndim != 1 or self.values.shape != self.weights.shape or not self.values.size:
            raise ValueError(
                f"values have the shape {self.values.shape} and weights {self.weights.shape}; expected one weight for "
                "each of one or more values"
            )
        if not (np.isfinite(self.values).all() and (self.values > 0.0).all()):
            raise ValueError("wavelengths and energies are positive numbers")
        if not (np.isfinite(self.weights).all() and (self.weights >= 0.0).all() and self.weights.sum() > 0.0):
            raise ValueError("weights are 0 or more and not all 0")
        return self

    @classmethod
    def thermal_neutrons(cls, temperature: float = 293.0, bins: int = 40) -> Self:
        """Give the flux of a moderator at a temperature in K as a detector of absorption 1/v sees it.

        The flux over the wavelength is that of Maxwell, lambda^-5 exp(-(lambda_T / lambda)^2); efficiency multiplies
        it by lambda.
        """
        if not temperature > 0.0:
            raise InputError(f"a moderator has {temperature:g} K, expected a positive temperature")
        # h / sqrt(2 m k T): 30.8 Å for a neutron at 1 K.
        typical = 30.81 / np.sqrt(temperature)
        wavelengths = np.linspace(0.3, 5.0, bins) * typical
        return cls(
            radiation="neutron", values=wavelengths, weights=wavelengths**-4.0 * np.exp(-((typical / wavelengths) ** 2))
        )

    def coefficients(self, material: Material) -> Float64:
        """Give the attenuation coefficient (bin,) of a material in 1/cm."""
        at = material.attenuation if self.radiation == "neutron" else material.xray_attenuation
        return np.array([at(float(value)) for value in self.values])

    def transmission(self, materials: Sequence[Material], thicknesses: ArrayLike) -> Float64:
        """Give the transmitted fraction behind layers, all parts of the spectrum together.

        Parameters
        ----------
        materials
            Of each layer.
        thicknesses
            In cm along the beam, (layer, ...).

        Returns
        -------
        (...); with more than one bin it falls more slowly than exponentially, as the beam hardens.

        Raises
        ------
        InputError
            If the numbers of layers differ or a thickness is negative.
        """
        depths = np.asarray(thicknesses, dtype=np.float64)
        if depths.ndim < 1 or len(depths) != len(materials):
            raise InputError(f"thicknesses have the shape {depths.shape}, expected {len(materials)} layers first")
        lowest = float(depths.min(initial=0.0))
        if not lowest >= 0.0:
            raise InputError(f"a layer is {lowest:g} cm thick, expected 0 or more")
        table = np.stack([self.coefficients(material) for material in materials])
        weights = self.weights / self.weights.sum()
        passed = np.zeros(depths.shape[1:])
        for weight, coefficients in zip(weights, table.T, strict=True):
            passed += weight * np.exp(-np.tensordot(coefficients, depths, axes=(0, 0)))
        return passed


def partial_volume(transmission: ArrayLike, factor: int) -> Float64:
    """Average transmissions over blocks of pixels, as a pixel does that sees an edge.

    Intensities add up, not thicknesses: a pixel half behind lead shows half the beam.

    Parameters
    ----------
    transmission
        (..., y, x) on a grid finer than the pixels.
    factor
        Fine pixels on each side of a pixel; both sizes must be multiples of it.
    """
    fine = np.asarray(transmission, dtype=np.float64)
    rows, columns = fine.shape[-2:]
    if factor < 1 or rows % factor or columns % factor:
        raise InputError(f"{rows}×{columns} fine pixels (y, x) cannot be averaged in blocks of {factor}×{factor}")
    blocks = fine.reshape(*fine.shape[:-2], rows // factor, factor, columns // factor, factor)
    return np.asarray(blocks.mean(axis=(-3, -1)))
