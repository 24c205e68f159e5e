"""A physics phantom of the neutron interferometer: raw phase-stepped frames, reduced like a measurement.

What a pixel shows follows from Beer-Lambert, the spheres' correlograms, the beam, the fringes and the detector; no
fitted distribution is used anywhere. Not modelled: refraction at edges, the spread of wavelengths, correlation
between spheres, Bragg edges of aluminium and steel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from beamforge.arrays import Float32, Float64
from beamforge.physics.correlogram import fringe_period, sphere_correlation
from beamforge.physics.detector import beam_profile, wide_scatter
from beamforge.physics.materials import ALUMINIUM, HEAVY_WATER, QUARTZ, STAINLESS_STEEL
from beamforge.reduction.frames import combined
from beamforge.reduction.interferometry import FringeMeasurement, PhaseScan, reduce_series
from beamforge.simulation.phantoms.infer_config import InferPhantom, Layout
from beamforge.simulation.phantoms.infer_holder import Holder, place_holder
from beamforge.stack import as_labels

_STREAMS = {"mounting": 0, "dark": 1, "frames": 2}


@dataclass(frozen=True)
class Acquisition:
    """One mounting of the samples, whose raw frames can be taken in any order and again.

    Attributes
    ----------
    config
        The phantom.
    layout
        Where the cuvettes stand.
    seed
        Decides the mounting and all noise.
    """

    config: InferPhantom
    layout: Layout
    seed: int

    def _stream(self, kind: str, position: int = 0) -> Generator:
        return default_rng(SeedSequence([self.seed, _STREAMS[kind], position]))

    @cached_property
    def holder(self) -> Holder:
        """What lies in the beam."""
        return place_holder(self.config, self.layout, self._stream("mounting"))

    @property
    def labels(self) -> xr.DataArray:
        """The annotation (y, x)."""
        return as_labels(self.holder.labels, self.config.classes, pixel_size=self.config.pixel_size)

    @cached_property
    def faults(self) -> Float32:
        """The camera's faulty pixels."""
        shape = (self.config.size, self.config.size)
        return self.config.faults.draw(shape, default_rng(self.config.camera_seed))

    @cached_property
    def dark(self) -> NDArray[np.uint16]:
        """Dark frames, uint16 (repeat, y, x)."""
        config, rng = self.config, self._stream("dark")
        nothing = np.zeros((config.size, config.size), np.float32)
        return np.stack(
            [config.detector.expose(nothing, config.exposure, rng, self.faults) for _ in range(config.dark_frames)]
        )

    @cached_property
    def dark_current(self) -> Float32:
        """The dark frames combined (y, x)."""
        return combined(self.dark, "dark frames")

    @cached_property
    def transmission(self) -> Float32:
        """Transmitted fraction (y, x)."""
        config, holder = self.config, self.holder
        of_liquid = np.array([0.0, HEAVY_WATER.attenuation(config.wavelength)] + [0.0] * len(config.suspensions))
        per_sphere = np.zeros_like(of_liquid)
        for number, suspension in enumerate(config.suspensions, start=2):
            of_liquid[number] = suspension.solvent.attenuation(config.wavelength)
            excess = suspension.sphere.attenuation(config.wavelength) - of_liquid[number]
            per_sphere[number] = suspension.volume_fraction * excess
        liquid = of_liquid[holder.cuvette] + per_sphere[holder.cuvette] * holder.concentration
        depth = liquid * holder.liquid
        for material, thickness in (
            (ALUMINIUM, holder.aluminium),
            (STAINLESS_STEEL, holder.steel),
            (QUARTZ, holder.quartz),
        ):
            depth += material.attenuation(config.wavelength) * thickness
        transmission: Float32 = np.exp(-depth).astype(np.float32)
        return transmission

    def visibility_ratio(self, length: float) -> Float32:
        """Give V/V0 (y, x) of the samples at an autocorrelation length in nm."""
        config, holder = self.config, self.holder
        exponent = np.zeros((config.size, config.size), np.float32)
        for number, suspension in enumerate(config.suspensions, start=2):
            inside = holder.cuvette == number
            fraction = suspension.volume_fraction * holder.concentration[inside].astype(np.float64)
            correlation = sphere_correlation(length, suspension.diameter / 2.0)
            cross_section = suspension.cross_section(config.wavelength, fraction)
            exponent[inside] = cross_section * holder.liquid[inside] * (correlation - 1.0)
        return np.exp(exponent)

    def frames(self, position: int) -> FringeMeasurement:
        """Take the raw frames of the autocorrelation length with this number: samples, open beam, combined dark."""
        config, rng = self.config, self._stream("frames", position)
        length = float(config.autocorrelation_lengths[position])
        drift = config.beam_drift * rng.standard_normal((2, 3))
        nothing = np.ones((), np.float32)
        sample = self._scan(length, self.transmission, self.visibility_ratio(length), drift[0], rng)
        open_beam = self._scan(length, nothing, nothing, drift[1], rng)
        return FringeMeasurement(sample=sample, open_beam=open_beam, dark=self.dark_current)

    def _scan(
        self, length: float, transmission: Float32, visibility_ratio: Float32, drift: Float64, rng: Generator
    ) -> PhaseScan:
        """Step the fringes through one period."""
        config = self.config
        mean, cosine, sine = _fringes(config, length, transmission, visibility_ratio, drift)
        steps = config.nominal_steps + config.step_error * rng.standard_normal(config.steps)
        doses = 1.0 + config.dose_error * rng.standard_normal(config.steps)
        frames = [
            config.detector.expose(
                np.float32(dose) * (mean + np.float32(np.cos(step)) * cosine + np.float32(np.sin(step)) * sine),
                config.exposure,
                rng,
                self.faults,
            )
            for step, dose in zip(steps, doses, strict=True)
        ]
        monitor = rng.poisson(config.monitor_rate * config.exposure * doses)
        return PhaseScan(np.stack(frames), config.nominal_steps, monitor)


def _fringes(
    config: InferPhantom, length: float, transmission: Float32, visibility_ratio: Float32, drift: Float64
) -> tuple[Float32, Float32, Float32]:
    """Give the expected counts of a frame as mean, cosine and sine part, (y, x) each."""
    shape = (config.size, config.size)
    centre = (0.48 + float(drift[0]), 0.53 + float(drift[1]))
    beam = beam_profile(shape, fall=config.beam_fall, centre=centre, tilt=float(drift[2]))
    beam *= np.float32(config.flux * config.exposure)
    transmitted = beam * transmission
    width = config.scatter_width * config.size / config.field
    scattering = np.float32(config.detector_scatter) * transmitted
    scattering += np.float32(config.sample_scatter) * (beam - transmitted)
    mean = transmitted + wide_scatter(scattering, 1.0, width)
    best = config.visibility * np.exp(-((length / config.visibility_range) ** 2))
    visibility = np.float32(best) * beam_profile(shape, fall=config.visibility_fall, centre=(0.55, 0.42))
    amplitude = transmitted * visibility * visibility_ratio
    phase = _phase(config, length)
    return mean, amplitude * np.cos(phase), amplitude * np.sin(phase)


def _phase(config: InferPhantom, length: float) -> Float32:
    """Give the phase of the fringes (y, x): slightly tilted, bent a little by imperfect gratings."""
    axis = ((np.arange(config.size, dtype=np.float32) + 0.5) / config.size - 0.5) * np.float32(config.field)
    y, x = axis[:, None], axis[None, :]
    period = np.float32(fringe_period(config.wavelength, config.distance, length))
    bend = 0.6 * ((2.0 * x / config.field) ** 2 - (2.0 * y / config.field) ** 2)
    phase: Float32 = (2.0 * np.pi * (x + 0.04 * y) / period + bend).astype(np.float32)
    return phase


def acquire(config: InferPhantom, rng: Generator, layout: Layout = "annotated") -> Acquisition:
    """Mount the samples; frames are taken when asked for.

    Parameters
    ----------
    config
        The phantom.
    rng
        One number is drawn from it, which decides the mounting and all noise.
    layout
        ``annotated``, or ``unseen``: the cuvettes stand in other places.
    """
    return Acquisition(config, layout, int(rng.integers(2**63)))


def measure(
    config: InferPhantom, rng: Generator, layout: Layout = "annotated", *, lazy: bool = False
) -> tuple[xr.DataArray, xr.DataArray]:
    """Acquire and reduce.

    Parameters
    ----------
    config, rng, layout
        See `acquire`.
    lazy
        Leave the stack on dask, one chunk for each autocorrelation length; every computing of a chunk gives the same
        values. A full-size stack is then stored without ever being in memory.

    Returns
    -------
    stack
        float32 (channel, y, x): the modes of the first autocorrelation length, of the second, …. H0 and H1 are
        relative to the open beam, invalid pixels are NaN.
    labels
        The annotation (y, x).
    """
    acquisition = acquire(config, rng, layout)
    stack = reduce_series(
        config.autocorrelation_lengths.tolist(),
        acquisition.frames,
        (config.size, config.size),
        modes=config.modes,
        dose_region=config.dose_region,
        pixel_size=config.pixel_size,
        simulated=True,
    )
    return (stack if lazy else stack.compute()), acquisition.labels
