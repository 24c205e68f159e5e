import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.physics.materials import (
    HEAVY_WATER,
    POLYSTYRENE,
    QUARTZ,
    STAINLESS_STEEL,
    Material,
    attenuated,
    half_value_layer,
)


@pytest.mark.parametrize(
    ("material", "sld", "depth"),
    [(POLYSTYRENE, 1.41, 0.233), (HEAVY_WATER, 6.37, 1.54), (QUARTZ, 3.475, 4.1)],
    ids=lambda value: getattr(value, "name", None),
)
def test_tabulated_values_at_four_angstrom(material: Material, sld: float, depth: float) -> None:
    # Scattering length density in 1e-6/Å² and 1/e depth in cm, NIST's neutron activation calculator.
    assert material.scattering_length_density(4.0) == pytest.approx(sld, abs=0.005)
    assert 1.0 / material.attenuation(4.0) == pytest.approx(depth, rel=0.006)


@pytest.mark.parametrize(("formula", "density", "coefficient"), [("Cu", 8.96, 1.00), ("Fe", 7.87, 1.20)])
def test_thermal_neutron_table(formula: str, density: float, coefficient: float) -> None:
    # Attenuation coefficients in 1/cm for thermal neutrons, as lectures on neutron imaging print them.
    metal = Material(name=formula, formula=formula, density=density)
    assert metal.attenuation(1.798) == pytest.approx(coefficient, rel=0.03)


def test_absorption_grows_with_the_wavelength() -> None:
    # Boron hardly scatters, and absorbs in proportion to the wavelength.
    boron = Material(name="boron", formula="B", density=2.34)
    assert boron.attenuation(6.0) / boron.attenuation(3.0) == pytest.approx(2.0, rel=0.01)


def test_steel_attenuates_about_as_iron_with_nickel() -> None:
    assert 1.2 < STAINLESS_STEEL.attenuation(4.0) < 2.0


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), min_size=1, max_size=5))
def test_layers_multiply(layers: list[tuple[float, float]]) -> None:
    coefficients, thicknesses = np.array(layers).T
    one_by_one = np.prod(np.exp(-coefficients * thicknesses))
    assert attenuated(coefficients, thicknesses) == pytest.approx(one_by_one)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Material(name="?", formula="Qq2", density=1.0), "not a chemical formula"),
        (lambda: Material(name="?", formula="", density=1.0), "no element"),
        (lambda: attenuated(np.ones(1), np.array([-0.1])), "-0.1 cm"),
        (lambda: QUARTZ.attenuation(0.0), "0 Å"),
        (lambda: Material(name="?", formula="PoO2", density=9.0).attenuation(1.8), "tabulated for Po"),
    ],
)
def test_impossible_materials_are_named(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("formula", "density", "coefficient"),
    [("Pb", 11.34, 22.8), ("Fe", 7.87, 1.54), ("W", 19.3, 30.4), ("Gd", 7.9, 8.69)],
)
def test_x_ray_table_at_150_kev(formula: str, density: float, coefficient: float) -> None:
    # Attenuation coefficients in 1/cm, as lectures on neutron imaging print them beside the neutrons'.
    metal = Material(name=formula, formula=formula, density=density)
    assert metal.xray_attenuation(150.0) == pytest.approx(coefficient, rel=0.006)


def test_formula_and_density_are_read_together() -> None:
    water = Material.parse("H2O@1.0")
    assert (water.formula, water.density) == ("H2O", 1.0)
    assert Material.parse("Fe").density == pytest.approx(7.87, abs=0.01)
    assert half_value_layer(2.0) == pytest.approx(0.34657, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("H2O", "'H2O' has no density"),
        ("H2O@heavy", "density 'heavy'"),
        ("H2O@-1", "-1 g/cm³"),
        ("Qq2@1", "'Qq2' is not a chemical formula"),
        ("Qq2", "'Qq2' is not a chemical formula"),
        ("@1", "names no element"),
    ],
)
def test_what_is_no_material_is_named(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Material.parse(text)


def test_x_ray_energies_outside_the_tables_are_refused() -> None:
    with pytest.raises(InputError, match="1000 keV"):
        QUARTZ.xray_attenuation(1000.0)
