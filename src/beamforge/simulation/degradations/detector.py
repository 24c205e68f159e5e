"""Frames of a real detector: counted neutrons, spread light, a camera's read-out, whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from beamforge.arrays import Float32
from beamforge.physics.detector import Detector
from beamforge.physics.detector_fit import fit_detector
from beamforge.physics.fitted_detector import FittedDetector
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.pixel_response import PixelResponse
from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation

_WEDGE = Detector(
    gain=4.0,
    photons=3.3,
    psf=(0.9, 0.75),
    gamma=GammaSpots(
        rate=215.0, lowest=700.0, amplitude_50=1260.0, amplitude_90=3915.0, amplitude_99=9090.0, size_99=6.0
    ),
    background=GammaSpots(
        rate=37.0, lowest=76.0, amplitude_50=150.0, amplitude_90=700.0, amplitude_99=3500.0, size_99=2.2
    ),
)


class DetectorStep(Degradation, name="detector"):
    """Takes transmissions as a detector would measure them.

    Each channel is a frame at its own dose of noise, divided by an open beam of the same exposure with the same
    response, after the offset was subtracted from both: counting and photon noise, light spread, read-out, spots and
    rounding are those of two frames. What is negative (noise of an earlier step) lets no neutron through.

    The defaults were measured on open beams and dark images of 20 and 60 s with a 20 µm gadolinium oxysulfide screen at
    44 µm pixels; `of` takes a detector of one's own.

    Attributes
    ----------
    seconds
        Exposure time of a frame in s.
    rate
        Detected neutrons per px and s in the open beam.
    detector
        Scintillator and camera.
    response
        Fixed pattern of the pixels, another one in each sample; None for even pixels.
    """

    seconds: LogInterval = LogInterval(low=5.0, high=120.0)
    rate: LogInterval = LogInterval(low=40.0, high=60.0)
    detector: Detector = _WEDGE
    response: PixelResponse | None = None

    @classmethod
    def of(cls, fitted: FittedDetector, seconds: LogInterval) -> Self:
        """Take a fitted detector at its own beam."""
        rate = LogInterval(low=fitted.rate, high=fitted.rate)
        return cls(seconds=seconds, rate=rate, detector=fitted.detector, response=fitted.response)

    @classmethod
    def from_files(
        cls,
        open_beams: Sequence[ArrayLike],
        darks: Sequence[ArrayLike],
        seconds: Sequence[float],
        dark_seconds: Sequence[float] | None = None,
        exposure: tuple[float, float] | None = None,
        *,
        rng: Generator,
    ) -> Self:
        """Fit the detector to a user's own open beams and dark images.

        Parameters
        ----------
        open_beams, darks
            Raw frames (y, x).
        seconds, dark_seconds
            Exposure time of each, or one for all; the dark images' are those of the open beams if None.
        exposure
            Interval of the simulated exposure times; by default from the shortest to the longest of the open beams.
        rng
            Random stream of the simulations that the spots are compared with.

        Raises
        ------
        InputError
            If the frames are not those of an open beam and dark; see `beamforge.physics.detector_fit.fit_detector`.
        """
        times, dark_times = (
            _one_for_each(t, len(f)) for t, f in ((seconds, open_beams), (dark_seconds or seconds, darks))
        )
        fitted = fit_detector(open_beams, darks, times, dark_times, rng)
        low, high = exposure or (min(times), max(times))
        return cls.of(fitted, LogInterval(low=low, high=high))

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Expose each channel and its open beam, and divide."""
        seconds = parameters["seconds"]
        neutrons = np.float32(parameters["rate"] * seconds)
        size = (sample.image.shape[1], sample.image.shape[2])
        pattern = None if self.response is None else self.response.draw(size, rng)
        image = np.empty_like(sample.image)
        for frame, transmission in zip(image, sample.image, strict=True):
            signal = self._signal(np.maximum(transmission, 0.0) * neutrons, seconds, rng, pattern)
            beam = self._signal(np.full(size, neutrons), seconds, rng, pattern)
            # A pixel so dark that its open beam is lost in read-out noise counts as one neutron.
            frame[:] = signal / np.maximum(beam, np.float32(self.detector.gain))
        return sample.replace(image=image)

    def _signal(self, neutrons: Float32, seconds: float, rng: Generator, pattern: Float32 | None) -> Float32:
        frame = self.detector.expose(neutrons, seconds, rng, response=pattern)
        signal: Float32 = frame.astype(np.float32) - np.float32(self.detector.offset)
        return signal


def _one_for_each(times: Sequence[float], frames: int) -> list[float]:
    return list(times) * frames if len(times) == 1 else list(times)
