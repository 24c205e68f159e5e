import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.physics.materials import ALUMINIUM, QUARTZ, WATER, attenuated
from beamforge.physics.projection import projected_thicknesses, thicknesses_along
from beamforge.physics.spectrum import Spectrum, partial_volume


def test_one_energy_is_beer_lambert() -> None:
    depths = np.array([[0.1, 0.5], [0.0, 0.2]])
    beam = Spectrum(radiation="neutron", values=[1.8], weights=[3.0])
    plain = attenuated(np.array([WATER.attenuation(1.8), ALUMINIUM.attenuation(1.8)]), depths)
    np.testing.assert_allclose(beam.transmission([WATER, ALUMINIUM], depths), plain)


def test_a_beam_of_two_energies_hardens() -> None:
    beam = Spectrum(radiation="xray", values=[30.0, 100.0], weights=[1.0, 1.0])
    depth = np.array([[0.01, 0.5, 1.0, 4.0]])
    passed = beam.transmission([ALUMINIUM], depth)
    soft, hard = (ALUMINIUM.xray_attenuation(energy) for energy in (30.0, 100.0))
    np.testing.assert_allclose(passed, (np.exp(-soft * depth[0]) + np.exp(-hard * depth[0])) / 2)
    apparent = -np.log(passed) / depth[0]
    assert (np.diff(apparent) < 0).all()
    assert apparent[0] == pytest.approx((soft + hard) / 2, rel=0.01)


def test_thermal_neutrons_peak_where_maxwell_says() -> None:
    # lambda^-4 exp(-(l/lambda)^2) is highest at l / sqrt(2); 1.8 Å is the typical wavelength at 293 K.
    beam = Spectrum.thermal_neutrons(293.0, bins=2000)
    assert beam.values[beam.weights.argmax()] == pytest.approx(1.8 / np.sqrt(2.0), rel=0.01)


def test_a_pixel_half_behind_an_absorber_shows_half_the_beam() -> None:
    fine = np.ones((4, 4))
    fine[:, 1] = 0.0
    np.testing.assert_allclose(partial_volume(fine, 2), [[0.5, 1.0], [0.5, 1.0]])


def test_a_cylinder_has_the_chords_of_a_circle_from_every_side() -> None:
    side, radius = 101, 30
    y, x = np.mgrid[:side, :side] - side // 2
    volume = np.repeat(((y**2 + x**2) <= radius**2)[None].astype(np.uint8), 2, axis=0)
    chords = 2.0 * np.sqrt(np.maximum(radius**2 - np.arange(-50, 51) ** 2.0, 0.0)) * 0.01
    projected = projected_thicknesses(volume, 1, 0.01, [0.0, 37.0, 90.0])
    assert projected.shape == (1, 3, 2, side)
    # At its rim a disc of voxels is no circle.
    inner = slice(50 - 27, 50 + 28)
    for angle in range(3):
        np.testing.assert_allclose(projected[0, angle, 1, inner], chords[inner], atol=0.025)
    np.testing.assert_allclose(thicknesses_along(volume, 1, 0.01, axis=1)[0, 1, inner], chords[inner], atol=0.02)


def test_projections_keep_the_amount_of_each_material() -> None:
    volume = np.zeros((3, 40, 40), np.uint8)
    volume[0, 15:20, 12:30] = 1
    volume[2, 10:20, 18:22] = 2
    projected = projected_thicknesses(volume, 2, 0.1, [0.0, 30.0, 60.0])
    for number in (1, 2):
        amount = (volume == number).sum() * 0.1
        np.testing.assert_allclose(projected[number - 1].sum(axis=(1, 2)), amount, rtol=0.02)
    np.testing.assert_allclose(projected[:, 0], thicknesses_along(volume, 2, 0.1, axis=1), atol=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Spectrum(radiation="xray", values=[1.0, 2.0], weights=[1.0]), "one weight"),
        (lambda: Spectrum(radiation="xray", values=[-1.0], weights=[1.0]), "positive"),
        (lambda: Spectrum(radiation="xray", values=[1.0], weights=[0.0]), "not all 0"),
        (lambda: Spectrum.thermal_neutrons(0.0), "0 K"),
        (lambda: Spectrum.thermal_neutrons().transmission([QUARTZ], np.ones((2, 3))), "1 layers"),
        (lambda: Spectrum.thermal_neutrons().transmission([QUARTZ], [-0.1]), "-0.1 cm"),
        (lambda: partial_volume(np.ones((5, 4)), 2), "5×4"),
        (lambda: thicknesses_along(np.full((2, 2, 2), 3), 2, 1.0), "material 3"),
        (lambda: thicknesses_along(np.zeros((2, 2, 2), int), 2, 0.0), "0 cm"),
        (lambda: projected_thicknesses(np.zeros((2, 4, 6), int), 1, 1.0, [0]), "squares"),
        (lambda: projected_thicknesses(np.ones((2, 8, 8), int), 1, 1.0, [0]), "leave the view"),
    ],
)
def test_what_cannot_be_is_named(make, words: str) -> None:
    with pytest.raises((InputError, ValueError), match=words):
        make()
