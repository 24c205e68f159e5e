"""Transmission of known thicknesses."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.physics.materials import Material
from beamforge.simulation import Sample, Step
from beamforge.simulation.intensities.attenuation import Attenuation, Beam
from beamforge.simulation.scenes.parts import THICKNESS
from contracts.step import StepContract


def with_thickness(thickness: np.ndarray, fine: int = 1) -> Sample:
    size = (thickness.shape[1] // fine, thickness.shape[2] // fine)
    return Sample(
        image=np.zeros((0, *size), np.float32), labels=np.zeros(size, np.uint8), extras={THICKNESS: thickness}
    )


class TestAttenuationContract(StepContract):
    examples = [
        Attenuation(materials=("Al", "H2O@1.0")),
        Attenuation(materials=("Fe", "Pb"), beams=(Beam(radiation="xray", values=(80.0, 120.0), weights=(1.0, 2.0)),)),
    ]

    def sample(self) -> Sample:
        return with_thickness(default_rng(1).uniform(0.0, 0.5, (2, 24, 32)).astype(np.float32), fine=2)


def test_one_wavelength_follows_beer_and_lambert() -> None:
    thickness = np.array([[[0.0, 0.2]], [[1.0, 0.5]]], np.float32)
    step = Attenuation(materials=("Fe", "Al"), beams=(Beam(values=(1.8,)), Beam(radiation="xray", values=(100.0,))))
    image = step.apply(with_thickness(thickness), {"density": 1.0}, default_rng(0)).image
    iron, aluminium = Material.parse("Fe"), Material.parse("Al")
    for channel, mu in enumerate((lambda m: m.attenuation(1.8), lambda m: m.xray_attenuation(100.0))):
        expected = np.exp(-np.array([mu(aluminium), 0.2 * mu(iron) + 0.5 * mu(aluminium)]))
        np.testing.assert_allclose(image[channel, 0], expected, rtol=1e-5)


def test_a_beam_hardens_in_an_absorber() -> None:
    # Boron absorbs slow neutrons more; the tables' scattering of water is the same at all wavelengths.
    thickness = np.array([[[0.01, 0.2]]], np.float32)
    step = Attenuation(materials=("B4C@2.5",))
    image = step.apply(with_thickness(thickness), {"density": 1.0}, default_rng(0)).image[0, 0].astype(np.float64)
    per_cm = -np.log(image) / thickness[0, 0]
    assert per_cm[1] < 0.97 * per_cm[0]


def test_pixels_at_edges_average_intensities() -> None:
    thickness = np.zeros((1, 2, 2), np.float32)
    thickness[0, :, 0] = 10.0
    step = Attenuation(materials=("H2O@1.0",))
    image = step.apply(with_thickness(thickness, fine=2), {"density": 1.0}, default_rng(0)).image
    assert image[0, 0, 0] == pytest.approx(0.5, abs=1e-3)


def test_what_does_not_fit_the_scene_is_named() -> None:
    step = Attenuation(materials=("Al",))
    with pytest.raises(InputError, match="given 1 materials, but thicknesses of 2"):
        step.apply(with_thickness(np.zeros((2, 4, 4), np.float32)), {"density": 1.0}, default_rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"materials": ["Xx"]}, "Xx"),
        ({"materials": ["H2O"]}, "has no density"),
        ({"materials": ["Al"], "beams": [{"radiation": "xray"}]}, "needs its energies"),
        ({"materials": ["Al"], "beams": [{"values": [1, 2], "weights": [1]}]}, "1 weights for 2 values"),
    ],
)
def test_impossible_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Step.from_dict({"step": "attenuation", **settings})
