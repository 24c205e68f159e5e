import pytest
from scipy.constants import h, neutron_mass

from beamforge.errors import InputError
from beamforge.physics.bragg_edges import bragg_edges, wavelength_of_flight


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
