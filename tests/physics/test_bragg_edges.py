import numpy as np
import pytest
from scipy.constants import h, neutron_mass

from beamforge.errors import InputError
from beamforge.physics.bragg_edges import bragg_edges, crystal_attenuation, wavelength_of_flight


def test_edges_of_steels_are_those_of_the_tables() -> None:
    # 2 d of ferrite (a = 2.866 Å) and austenite (a = 3.59 Å), as listed for Bragg-edge imaging.
    ferrite = bragg_edges(2.866, "bcc", count=4)
    assert ferrite == pytest.approx({"110": 4.053, "200": 2.866, "211": 2.340, "220": 2.027}, abs=6e-4)
    austenite = bragg_edges(3.59, "fcc", count=4)
    assert austenite == pytest.approx({"111": 4.145, "200": 3.590, "220": 2.539, "311": 2.165}, abs=6e-4)
    assert list(bragg_edges(1.0, "primitive", count=7)) == ["100", "110", "111", "200", "210", "211", "220"]


def test_wavelength_is_de_broglies() -> None:
    assert float(wavelength_of_flight(0.02, 16.0)) == pytest.approx(1e10 * h * 0.02 / (neutron_mass * 16.0), rel=1e-7)


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'fcc'"):
        bragg_edges(3.0, "fc")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 Å"):
        bragg_edges(0, "bcc")
    with pytest.raises(InputError, match="-1 m"):
        wavelength_of_flight(0.1, -1)


def test_short_wavelengths_see_free_atoms_at_their_places() -> None:
    # Far below all edges coherent scattering of a powder without thermal motion is that of as many single atoms.
    import periodictable

    waves = np.array([0.05, 0.1])
    found = crystal_attenuation("Fe", waves, 2.8665, "bcc", debye_waller=0.0)
    iron = periodictable.elements.symbol("Fe")
    density = 2.0 / 2.8665**3
    expected = density * (iron.neutron.coherent + iron.neutron.incoherent + iron.neutron.absorption * waves / 1.798)
    np.testing.assert_allclose(found, expected, rtol=5e-3)


def test_beyond_the_last_edge_only_absorption_and_incoherence_are_left() -> None:
    waves = np.array([4.1, 5.0])
    found = crystal_attenuation("Fe", waves, 2.8665, "bcc")
    np.testing.assert_allclose(found, 2.0 / 2.8665**3 * (0.4 + 2.56 * waves / 1.798), rtol=1e-6)


@pytest.mark.parametrize(("lattice", "constant"), [("bcc", 2.8665), ("fcc", 3.59), ("primitive", 3.0)])
def test_attenuation_falls_at_the_edges_and_nowhere_else(lattice: str, constant: float) -> None:
    edges = np.array(list(bragg_edges(constant, lattice, count=3).values()))
    beside = np.stack([edges - 1e-4, edges + 1e-4])
    attenuation = crystal_attenuation("Fe", beside.ravel(), constant, lattice).reshape(beside.shape)
    assert (attenuation[0] - attenuation[1] > 0.05).all()
    between = np.linspace(edges[1] + 1e-3, edges[0] - 1e-3, 50)
    assert (np.diff(crystal_attenuation("Fe", between, constant, lattice)) > 0).all()


def test_the_height_of_an_edge_is_that_of_its_planes() -> None:
    # bcc 110: 12 planes, |F| = 2 b, d = a / √2, thermal motion exp(-B / 2 d²).
    constant, spacing = 2.8665, 2.8665 / np.sqrt(2.0)
    edge = 2.0 * spacing
    fall = np.diff(crystal_attenuation("Fe", np.array([edge + 1e-9, edge - 1e-9]), constant, "bcc"))[0]
    strength = 12 * (2 * 9.45e-5) ** 2 * spacing * np.exp(-0.35 / (2 * spacing**2))
    assert fall == pytest.approx(edge**2 / (2 * constant**6) * strength * 1e8, rel=1e-4)


def test_what_is_no_crystal_is_named() -> None:
    with pytest.raises(InputError, match="'Xx' is not the symbol"):
        crystal_attenuation("Xx", np.array([2.0]), 3.0, "bcc")
    with pytest.raises(InputError, match="above 0"):
        crystal_attenuation("Fe", np.array([0.0]), 3.0, "bcc")
