"""A beam that is not even over the field, and moves between the sample's frame and the open beam."""

from __future__ import annotations

from numpy.random import Generator

from beamforge.physics.detector import beam_profile
from beamforge.simulation.interval import Interval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class BeamProfile(Degradation, name="beam_profile"):
    """Multiplies all channels by the beam's relative intensity, 1 at its brightest.

    With `normalised`, channels are transmissions: they were divided by an open beam of the same profile, whose centre
    lay elsewhere by the parameter ``moved``, so that only the difference is left.

    Measured over 900×1500 px of 44 µm: the beam falls by a quarter towards the sides; between frames taken minutes
    apart it changed by about 1 %.

    Attributes
    ----------
    fall
        Relative loss half a field away from the centre.
    centre
        Where the beam is brightest, along y and along x the same interval, as a fraction of the field.
    moved
        Standard deviation of how far the beam moved, as a fraction of the field.
    normalised
        Whether the image was divided by an open beam.
    """

    fall: Interval = Interval(low=0.05, high=0.35)
    centre: Interval = Interval(low=0.3, high=0.7)
    moved: Interval = Interval(low=0.0, high=0.02)
    normalised: bool = False

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the place across and the move, and multiply."""
        shape = (sample.image.shape[1], sample.image.shape[2])
        if 0 in shape:
            return sample
        centre = (parameters["centre"], self.centre.draw(rng))
        profile = beam_profile(shape, fall=parameters["fall"], centre=centre)
        if self.normalised:
            away = parameters["moved"] * rng.standard_normal(2)
            before = (centre[0] + float(away[0]), centre[1] + float(away[1]))
            profile = profile / beam_profile(shape, fall=parameters["fall"], centre=before)
        return sample.replace(image=sample.image * profile)
