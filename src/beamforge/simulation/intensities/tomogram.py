"""What X-ray tomography makes of a volume of phases: projections with all their faults, reconstructed."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray
from pydantic import PositiveInt, model_validator
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.physics.materials import Material
from beamforge.physics.parallel_beam import filtered_back_projection, project_phases, propagated_intensity
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity

MATRIX = Material(name="Al matrix", formula="Al95Zn2Mg2Cu", density=2.80)
PRECIPITATE = Material(name="Cu-Mg-Zn precipitate", formula="MgZnCu", density=5.6)
INCLUSION = Material(name="Al-Cu-Fe inclusion", formula="Al7Cu2Fe", density=4.2)
_HC = 12.398419843  # keV Å
_HARMONIC = 3
"""Order of the harmonic that a Si (111) monochromator lets through beside the energy it is set to."""
_LEAST_COUNTS = 0.5


class Tomogram(Intensity, name="tomogram"):
    """Measures the phases of a volume with parallel X-rays and reconstructs its middle slice, in 1/cm.

    Attenuation comes from tables, so that an energy on either side of an absorption edge changes the contrast. Fringes
    come from the propagation of the wave from the sample to the detector, beam hardening from the monochromator's third
    harmonic, rings from pixels whose response differs, streaks from zingers, noise from counting, and the missing
    wedge from the angles that are not taken. The reconstruction is filtered back-projection.

    Attributes
    ----------
    materials
        Of the phases from 1 on; phase 0 is air.
    energy
        In keV; the K edge of Cu is at 8.979.
    pixel_size
        In µm.
    propagation
        Distance or defocus in µm over which fringes form.
    harmonic
        Share of the intensity that has three times the energy.
    counts
        Photons in a pixel of an open beam.
    gain_spread
        Relative standard deviation of the pixels' response that is left after the division by the open beam.
    unsharpness
        Standard deviation of the detector's light spread in px.
    zingers
        Share of pixels hit by a stray photon in each projection, each as bright as up to three open beams.
    angles
        Number of projections.
    span
        Angle in degrees that they cover; 180 is complete.
    margin
        Slices above and below that are propagated along, as fringes cross slices.
    """

    materials: tuple[Material, ...] = (MATRIX, PRECIPITATE, INCLUSION)
    energy: Interval = Interval(low=8.8, high=9.2)
    pixel_size: Interval = Interval(low=0.06, high=0.06)
    propagation: Interval = Interval(low=0.0, high=25.0)
    harmonic: Interval = Interval(low=0.0, high=0.03)
    counts: LogInterval = LogInterval(low=2000.0, high=20000.0)
    gain_spread: LogInterval = LogInterval(low=0.0005, high=0.004)
    unsharpness: Interval = Interval(low=0.3, high=0.9)
    zingers: LogInterval = LogInterval(low=1e-6, high=1e-4)
    angles: PositiveInt = 180
    span: Interval = Interval(low=150.0, high=180.0)
    margin: PositiveInt = 4

    @model_validator(mode="after")
    def _some_material(self) -> Self:
        if not self.materials:
            raise ValueError("a tomogram needs at least one material")
        return self

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the intervals and the angle of the first projection."""
        drawn: dict[str, Any] = super().draw(sample, rng)
        return {**drawn, "start": float(rng.uniform(0, 180))}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Reconstruct the middle slice of the volume that the scene handed on."""
        if "phases" not in sample.extras:
            raise InputError("the step 'tomogram' needs a scene that hands on a volume of phases, such as micropillar")
        phases = np.asarray(sample.extras["phases"], dtype=np.uint8)
        middle = len(phases) // 2
        bottom, top = max(middle - self.margin, 0), min(middle + self.margin + 1, len(phases))
        noise = int(rng.integers(2**31))
        image = self.reconstruct(phases[bottom:top], parameters, bottom, range(middle, middle + 1), noise)
        return sample.replace(image=image)

    def reconstruct(
        self, phases: NDArray[np.uint8], parameters: Parameters, bottom: int, wanted: range, noise: int
    ) -> Float32:
        """Measure and reconstruct some slices.

        Parameters
        ----------
        phases
            (z, y, x) slices from `bottom` on: the wanted ones, and around them those whose fringes reach into them.
        parameters
            What `draw` gave.
        bottom
            Which z of the volume the first slice is.
        wanted
            Which z to reconstruct.
        noise
            Seed of counting, gains and zingers; every slice has streams of its own.

        Returns
        -------
        float32 (slice, y, x), attenuation in 1/cm.
        """
        angles = self.angles_of(parameters)
        lengths = project_phases(phases, len(self.materials), angles)
        transmission = self._transmission(lengths, parameters)
        found = []
        for z in wanted:
            counts = self._counted(transmission[z - bottom], parameters, default_rng(SeedSequence([noise, z])))
            found.append(filtered_back_projection(counts, angles))
        per_cm = 1e4 / parameters["pixel_size"]
        return np.stack(found) * np.float32(per_cm)

    def angles_of(self, parameters: Parameters) -> Float64:
        """Give the angles of the projections in degrees."""
        angles: Float64 = parameters["start"] + np.linspace(0.0, parameters["span"], self.angles, endpoint=False)
        return angles

    def _transmission(self, lengths: Float32, parameters: Parameters) -> Float32:
        """Give what arrives of the beam (z, angle, u), the harmonic included, from lengths (phase, z, angle, u)."""
        pixel = parameters["pixel_size"]  # µm
        energy = parameters["energy"]
        absorption = self._weighted(lengths, [m.xray_attenuation(energy) * pixel * 1e-4 for m in self.materials])
        wavelength = _HC / energy * 1e-4  # µm
        per_px = [2 * np.pi / wavelength * m.xray_delta(energy) * pixel for m in self.materials]
        phase = self._weighted(lengths, per_px)
        # Each projection is an image (z, u) of its own.
        main = propagated_intensity(
            np.moveaxis(absorption, 1, 0), np.moveaxis(phase, 1, 0), wavelength, parameters["propagation"], pixel
        )
        beam = np.moveaxis(main, 0, 1)
        share = parameters["harmonic"]
        if share > 0:
            hard = [m.xray_attenuation(_HARMONIC * energy) * pixel * 1e-4 for m in self.materials]
            beam = (1.0 - share) * beam + share * np.exp(-self._weighted(lengths, hard))
        spread = parameters["unsharpness"]
        return np.asarray(gaussian_filter(beam, (spread, 0.0, spread)), dtype=np.float32)

    @staticmethod
    def _weighted(lengths: Float32, per_px: list[float]) -> Float32:
        return np.tensordot(np.asarray(per_px, dtype=np.float32), lengths, axes=(0, 0))

    def _counted(self, transmission: Float32, parameters: Parameters, rng: Generator) -> Float32:
        """Count photons and take the logarithm: (angle, u) of transmission to integrals along rays."""
        gain = 1.0 + parameters["gain_spread"] * rng.standard_normal(transmission.shape[1])
        full = parameters["counts"]
        counts = rng.poisson(full * transmission).astype(np.float64)
        hit = rng.random(counts.shape) < parameters["zingers"]
        counts += hit * full * rng.uniform(0.5, 3.0, counts.shape)
        return np.asarray(-np.log(np.maximum(counts, _LEAST_COUNTS) * gain / full), dtype=np.float32)
