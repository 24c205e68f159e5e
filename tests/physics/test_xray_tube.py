import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.physics.labdct import Instrument
from beamforge.physics.materials import ALUMINIUM
from beamforge.physics.xray_tube import Filter, TabulatedSpectrum, TungstenTube

# Photon fluence per keV of a tungsten tube at 140 kV, of sum 1: Boone & Seibert, Med. Phys. 24 (1997), 1661, as read
# off for the public forward model of Fang et al. 2020; away from the lines, which are binned there.
ENERGIES = np.array([24.83, 30.42, 37.87, 42.53, 47.80, 51.53, 75.0, 83.81, 99.02, 114.2])
FLUENCE = np.array([10.06, 14.94, 17.01, 16.49, 15.87, 14.73, 6.48, 5.19, 3.53, 2.18]) * 1e-3


def test_the_spectrum_is_that_of_a_published_table() -> None:
    tube = TungstenTube(voltage=140.0, flux=1.0)
    found = tube.flux_density(ENERGIES)
    np.testing.assert_allclose(found, FLUENCE, rtol=0.12)
    grid = np.arange(12.5, 140.0, 0.05)
    assert np.average(grid, weights=tube.flux_density(grid)) == pytest.approx(56.8, abs=1.5)


def test_all_energies_add_up_to_the_flux() -> None:
    grid = np.arange(1.0, 110.0, 0.02)
    assert np.trapezoid(TungstenTube(voltage=110.0, flux=5e8).flux_density(grid), grid) == pytest.approx(5e8, rel=1e-3)


def test_lines_stand_where_tungsten_has_them() -> None:
    grid = np.arange(50.0, 75.0, 0.01)
    spectrum = TungstenTube(voltage=100.0, line_width=0.3).flux_density(grid)
    peaks = grid[1:-1][(spectrum[1:-1] > spectrum[2:]) & (spectrum[1:-1] > spectrum[:-2])]
    for energy in (57.98, 59.32, 67.24, 69.07):
        assert np.abs(peaks - energy).min() < 0.05
    # Below the K edge there are none, and nothing above the voltage.
    quiet = TungstenTube(voltage=60.0).flux_density(grid)
    assert np.abs(np.diff(quiet[grid < 59.9], 2)).max() < 1e-4 * quiet.max()
    assert (quiet[grid > 60.0] == 0.0).all()


def test_filters_harden_as_beer_and_lambert_say() -> None:
    thin, thick = (
        TungstenTube(filters=(Filter(material=ALUMINIUM, thickness=depth),)).flux_density(np.array([25.0, 50.0]))
        for depth in (1.0, 4.0)
    )
    expected = [np.exp(-0.3 * ALUMINIUM.xray_attenuation(energy)) for energy in (25.0, 50.0)]
    assert (thick / thin)[0] / (thick / thin)[1] == pytest.approx(expected[0] / expected[1], rel=1e-9)


def test_a_table_of_ones_own_serves_as_a_tube() -> None:
    table = TabulatedSpectrum(energies=(20.0, 40.0, 80.0), weights=(0.0, 3.0, 0.0), flux=9e6)
    # A triangle of area 90 before it is scaled to the flux.
    np.testing.assert_allclose(table.flux_density(np.array([10.0, 30.0, 40.0, 60.0, 90.0])), [0, 1.5e5, 3e5, 1.5e5, 0])
    assert table.voltage == 80.0
    settings = Instrument(tube=table).model_dump_json()
    assert Instrument.model_validate_json(settings).tube == table
    with pytest.raises(ValueError, match="2 weights for 3 energies"):
        TabulatedSpectrum(energies=(20.0, 40.0, 80.0), weights=(0.0, 3.0), flux=1.0)
    with pytest.raises(ValueError, match="have to rise"):
        TabulatedSpectrum(energies=(20.0, 20.0), weights=(1.0, 3.0), flux=1.0)


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(InputError, match="-1 keV"):
        TungstenTube().flux_density(np.array([-1.0]))
    with pytest.raises(ValueError, match="voltage"):
        TungstenTube(voltage=5.0)
