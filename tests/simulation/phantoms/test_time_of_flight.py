"""The time-of-flight phantom shows the spectra of its crystals."""

import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.simulation.phantoms.time_of_flight import CLASSES, FERRITE, TimeOfFlightPhantom, layout, measure
from beamforge.stack import channels_of


def test_mean_spectra_are_those_of_the_crystals() -> None:
    config = TimeOfFlightPhantom(size=64, bins=20, blur=0.0)
    stack, labels = measure(config, default_rng(1))
    core = labels.values == CLASSES.names.index("ferrite core")
    expected = np.exp(-0.9 * FERRITE.attenuation(config.wavelengths))
    # A few hundred pixels of about 110 counts: half a percent.
    np.testing.assert_allclose(stack.values[:, core].mean(axis=1, dtype=np.float64), expected, rtol=0.03)
    assert [channel.numbers["wavelength"] for channel in channels_of(stack)] == pytest.approx(config.wavelengths)


def test_noise_is_that_of_the_counts() -> None:
    config = TimeOfFlightPhantom(size=64, bins=9, counts=400.0, blur=0.0)
    stack, labels = measure(config, default_rng(2))
    open_beam = stack.values[4][labels.values == 0]
    # The open beam was counted twenty times as long.
    assert open_beam.std() == pytest.approx(np.sqrt((1 + 1 / 20) / 400.0), rel=0.1)


def test_every_class_is_there() -> None:
    assert set(np.unique(layout(48))) == set(range(len(CLASSES)))


def test_wavelengths_ascend() -> None:
    with pytest.raises(ValidationError, match="expected ascending"):
        TimeOfFlightPhantom(shortest=3.0, longest=2.0)
