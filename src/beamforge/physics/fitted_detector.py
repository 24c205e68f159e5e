"""A detector as fitted to a user's images: one readable JSON file that simulates frames like them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveFloat, ValidationError

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.files import read_json, write_json
from beamforge.physics.detector import Detector
from beamforge.physics.pixel_response import PixelResponse


class ExposureNoise(BaseModel):
    """The noise of one open beam: its time in s, median level and standard deviation, both in DN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    level: float
    noise: float

    @property
    def snr(self) -> float:
        """Signal over noise of a pixel."""
        return self.level / self.noise if self.noise > 0.0 else float("inf")


class DetectorReport(BaseModel):
    """What the fit rests on.

    Attributes
    ----------
    paired
        Whether two or more open beams told noise from the pixels' response. If not, the gain is that of the noise
        which pixels do not share, and everything else counts as response.
    exposures
        The noise of each open beam.
    spots, dark_spots
        How many were found above 8 local standard deviations in all open beams and all dark images.
    lasting_dark_spots
        Part of the dark images' spots that come back in each of them: hot pixels; None with one dark image.
    used
        Part of the open beams' pixels that the noise was measured on, the least of all; the rest is darker than the
        beam, steep or near a spot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    paired: bool
    exposures: tuple[ExposureNoise, ...]
    spots: int
    dark_spots: int
    lasting_dark_spots: float | None
    used: float


class FittedDetector(BaseModel):
    """A detector, its pixels' response and its beam.

    Attributes
    ----------
    detector
        Gain, offset, noise, spread and spots.
    response
        Fixed pattern of the pixels.
    rate
        Detected neutrons per px and s in the middle of the brightness of the open beam.
    report
        What it rests on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: Detector
    response: PixelResponse
    rate: PositiveFloat
    report: DetectorReport

    def signal_over_noise(self, neutrons: Float64) -> Float64:
        """Give the signal over noise of a pixel without its fixed pattern for numbers of detected neutrons."""
        camera = self.detector
        signal = camera.gain * neutrons
        photons = camera.gain / camera.photons if camera.photons is not None else 0.0
        variance = (camera.gain * camera.spread_variance() + photons) * signal + camera.read_noise**2
        return np.asarray(signal / np.sqrt(variance))

    def open_beam(
        self, level: Float32, seconds: float, rng: Generator, response: Float32 | None = None
    ) -> NDArray[np.uint16]:
        """Take a frame of the open beam.

        Parameters
        ----------
        level
            Relative intensity of the beam (y, x), 1 where it is as bright as `rate` says, e.g. a `beam_profile`.
        seconds
            Exposure time.
        rng
            Random stream.
        response
            The pixels' response (y, x), to have the same in several frames; drawn if None.
        """
        shape = (level.shape[0], level.shape[1])
        pattern = self.response.draw(shape, rng) if response is None else response
        return self.detector.expose(level * np.float32(self.rate * seconds), seconds, rng, response=pattern)

    def dark(self, shape: tuple[int, int], seconds: float, rng: Generator) -> NDArray[np.uint16]:
        """Take a frame (y, x) without beam."""
        return self.detector.dark(shape, seconds, rng)

    def save(self, path: str | Path) -> None:
        """Write one JSON file."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file holds something else.
        """
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{path} is not a fitted detector: {place}: {first['msg']}") from error
